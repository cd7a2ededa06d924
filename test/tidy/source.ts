import ts from 'typescript'

/** What the rules look at in a file: its text, and what its syntax says that a search for words would get wrong. */
export interface Source {
  /** Relative to the checkout, `/` between names. */
  readonly path: string
  readonly text: string
  /** Static and dynamic imports and re-exports. */
  readonly imports: readonly Found[]
  /** Global or imported names used as values, with the member taken from them: `Date`, `Math.random`. */
  readonly names: readonly Found[]
  /** Members taken from whatever: `localeCompare`. */
  readonly members: readonly Found[]
  readonly statements: readonly ts.Statement[]
  /** `async`, `await` and `for await`; `top` outside any function. */
  readonly asynchronous: readonly (Found & { readonly top: boolean })[]
}

export interface Found {
  readonly what: string
  /** From 1. */
  readonly line: number
  /** Gone when types are stripped. */
  readonly typeOnly?: boolean
}

/** Rules of several files look at the same sources. */
const parsed = new Map<string, Source>()

export function parseSource(path: string, text: string): Source {
  const known = parsed.get(path)
  if (known?.text === text) return known
  const source = parse(path, text)
  parsed.set(path, source)
  return source
}

function parse(path: string, text: string): Source {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true)
  const imports: Found[] = []
  const names: Found[] = []
  const members: Found[] = []
  const asynchronous: (Found & { top: boolean })[] = []
  const lineOf = (node: ts.Node): number => tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1

  const visit = (node: ts.Node, inFunction: boolean): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)) {
        imports.push({ what: node.moduleSpecifier.text, line: lineOf(node), typeOnly: isTypeOnly(node) })
      }
      return
    }
    if (ts.isTypeNode(node) || ts.isTypeAliasDeclaration(node) || ts.isInterfaceDeclaration(node)) return
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments
      if (specifier !== undefined && ts.isStringLiteral(specifier))
        imports.push({ what: specifier.text, line: lineOf(node) })
    }
    if (ts.isPropertyAccessExpression(node)) members.push({ what: node.name.text, line: lineOf(node) })
    if (ts.isIdentifier(node) && isValue(node)) names.push({ what: withMember(node), line: lineOf(node) })
    if (
      node.kind === ts.SyntaxKind.AsyncKeyword ||
      ts.isAwaitExpression(node) ||
      (ts.isForOfStatement(node) && node.awaitModifier !== undefined)
    ) {
      asynchronous.push({ what: node.getText(tree).slice(0, 40), line: lineOf(node), top: !inFunction })
    }
    const inside = inFunction || ts.isFunctionLike(node) || ts.isClassStaticBlockDeclaration(node)
    ts.forEachChild(node, (child) => {
      visit(child, inside)
    })
  }
  visit(tree, false)
  return { path, text, imports, names, members, statements: tree.statements, asynchronous }
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly
  return node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
}

/** Not the name of a member, of a declaration or of a key. */
function isValue(node: ts.Identifier): boolean {
  const parent = node.parent
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node
  return !('name' in parent && parent.name === node) || ts.isShorthandPropertyAssignment(parent)
}

function withMember(node: ts.Identifier): string {
  const parent = node.parent
  return ts.isPropertyAccessExpression(parent) ? `${node.text}.${parent.name.text}` : node.text
}
