/** The stable codes of every error class, read from the sources, and those that docs/errors.md explains. */
import ts from 'typescript'
import type { Source } from './source.ts'

/** Class name → its codes, sorted. Classes that inherit their code are left out. */
export function errorCodes(sources: readonly Source[]): Map<string, readonly string[]> {
  const statements = sources.flatMap((source) => source.statements)
  const aliases = new Map(
    statements.filter(ts.isTypeAliasDeclaration).map((alias) => [alias.name.text, alias.type]),
  )
  const codes = new Map<string, readonly string[]>()
  for (const statement of statements) {
    if (!ts.isClassDeclaration(statement) || statement.name === undefined || !isError(statement)) continue
    const found = codesOf(statement, aliases)
    if (found.length > 0) codes.set(statement.name.text, found.sort())
  }
  return codes
}

function isError(declaration: ts.ClassDeclaration): boolean {
  return declaration.heritageClauses?.some((clause) => /Error\b/.test(clause.getText())) ?? false
}

function codesOf(declaration: ts.ClassDeclaration, aliases: ReadonlyMap<string, ts.TypeNode>): string[] {
  const code = declaration.members.find(
    (member): member is ts.PropertyDeclaration =>
      ts.isPropertyDeclaration(member) && member.name.getText() === 'code',
  )
  if (code === undefined) return []
  if (code.type !== undefined) return literalsOf(code.type, aliases)
  const value = /'(\w+)'/.exec(code.initializer?.getText() ?? '')?.[1]
  return value === undefined ? [] : [value]
}

/** The string literals of a union; names of other types are followed. */
function literalsOf(type: ts.TypeNode, aliases: ReadonlyMap<string, ts.TypeNode>): string[] {
  if (ts.isUnionTypeNode(type)) return type.types.flatMap((part) => literalsOf(part, aliases))
  if (ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal)) return [type.literal.text]
  const alias = ts.isTypeReferenceNode(type) ? aliases.get(type.typeName.getText()) : undefined
  return alias === undefined ? [] : literalsOf(alias, aliases)
}

/** Class name → codes, sorted, as docs/errors.md has them: a heading with the class, then a table with a row for each code. */
export function documentedCodes(markdown: string): Map<string, readonly string[]> {
  const codes = new Map<string, readonly string[]>()
  for (const section of markdown.split(/^## /m).slice(1)) {
    const name = /^`(\w+)`/.exec(section)?.[1]
    const rows = [...section.matchAll(/^\| `(\w+)` /gm)].map((row) => row[1] ?? '')
    if (name !== undefined) codes.set(name, rows.sort())
  }
  return codes
}
