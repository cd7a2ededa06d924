/** The form of files: short, named, nothing left open. */
import ts from 'typescript'
import type { Rule } from './rule.ts'
import type { Source } from './source.ts'

const LINES_MAX = 350

// Words are put together, or this file would be the first to break its own rules.
const OPEN_ENDS = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`)
const SILENCED = new RegExp('(eslint-dis' + 'able|@ts-ig' + 'nore|@ts-no' + 'check|prettier-ig' + 'nore)')
/** Left out on a platform that lacks something is fine: runIf, skipIf. */
const HALF_TESTS = /\b(?:test|it|describe|suite)\s*\.\s*(?:only|skip|todo|fails)\b/

const LAB_TITLE = /(?<![.\w])test\(\s*['"`][^'"`]*\((?:2[A-D]|3[AB]|4[AB]|mr)\)/

const everywhere = (): boolean => true

function isSource(path: string): boolean {
  return /^packages\/[^/]+\/src\//.test(path)
}

function isTest(path: string): boolean {
  return /(^|\/)test\/|\.test\.ts$/.test(path)
}

function linesMatching(text: string, pattern: RegExp): string[] {
  return text.split('\n').flatMap((line, at) => (pattern.test(line) ? [`${at + 1}: ${line.trim()}`] : []))
}

function isNamedReExport(statement: ts.Statement): boolean {
  return (
    ts.isExportDeclaration(statement) &&
    statement.moduleSpecifier !== undefined &&
    statement.exportClause !== undefined &&
    ts.isNamedExports(statement.exportClause)
  )
}

function unlike({ statements }: Source, wanted: (statement: ts.Statement) => boolean): string[] {
  return statements.flatMap((statement) => {
    if (wanted(statement)) return []
    const tree = statement.getSourceFile()
    const line = tree.getLineAndCharacterOfPosition(statement.getStart()).line + 1
    return [`${line}: ${statement.getText().split('\n')[0] ?? ''}`]
  })
}

function isDefaultExport(statement: ts.Statement): boolean {
  if (ts.isExportAssignment(statement)) return true
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword) ?? false
}

export const formRules: readonly Rule[] = [
  {
    title: `no file is longer than ${LINES_MAX} lines`,
    applies: everywhere,
    violations: ({ text }) => {
      const lines = text.split('\n').length - 1
      return lines > LINES_MAX ? [`${lines}: lines`] : []
    },
    broken: { path: 'packages/raft/src/node.ts', text: '\n'.repeat(LINES_MAX + 1) },
  },
  {
    title: 'an index.ts re-exports by name and does nothing else',
    applies: (path) => isSource(path) && path.endsWith('/index.ts'),
    violations: (source) => unlike(source, isNamedReExport),
    broken: { path: 'packages/raft/src/index.ts', text: "export * from './node.ts'\n" },
  },
  {
    title: 'packages export names, no default',
    applies: isSource,
    violations: (source) => unlike(source, (statement) => !isDefaultExport(statement)),
    broken: { path: 'packages/raft/src/node.ts', text: 'export default class RaftNode {}\n' },
  },
  {
    title: 'nothing is left open for later',
    applies: everywhere,
    violations: ({ text }) => linesMatching(text, OPEN_ENDS),
    broken: { path: 'packages/raft/src/node.ts', text: '// TO' + 'DO: the rest\n' },
  },
  {
    title: 'no checker is silenced',
    applies: everywhere,
    violations: ({ text }) => linesMatching(text, SILENCED),
    broken: { path: 'packages/raft/src/node.ts', text: '// @ts-ig' + 'nore\n' },
  },
  {
    title: 'no test is left out or singled out',
    applies: isTest,
    violations: ({ text }) => linesMatching(text, HALF_TESTS),
    broken: { path: 'packages/raft/test/node.test.ts', text: 'test.on' + "ly('one', () => {})\n" },
  },
  {
    title: 'tests of the labs stand in a folder labs/, where npm test -- 2A looks for them',
    applies: (path) => path.endsWith('.test.ts') && !path.includes('/labs/'),
    violations: ({ text }) => linesMatching(text, LAB_TITLE),
    broken: { path: 'packages/raft/test/node.test.ts', text: "test('InitialElection (2A)', () => {})\n" },
  },
]
