/** TypeScript in Markdown: every block marked `ts` is checked like a file that a user wrote. */
import { join } from 'node:path'
import ts from 'typescript'
import { root } from './files.ts'

export interface Snippet {
  readonly path: string
  /** Of its first line of code in the document, from 1. */
  readonly line: number
  readonly code: string
}

/**
 * Blocks that start with ```` ```ts ````. Blocks of one document stand each for itself, except that one marked
 * `ts continued` goes on where the one before ended. A block marked otherwise (`ts shape`) only shows the shape of something.
 */
export function snippetsIn(path: string, markdown: string): Snippet[] {
  const snippets: Snippet[] = []
  for (const match of markdown.matchAll(/^```ts(?: (continued))?\n([\s\S]*?)^```/gm)) {
    const code = match[2] ?? ''
    const line = markdown.slice(0, match.index).split('\n').length + 1
    const previous = match[1] === undefined ? undefined : snippets.pop()
    snippets.push(previous === undefined ? { path, line, code } : { ...previous, code: previous.code + code })
  }
  return snippets
}

/** What the compiler says against the snippets, one line each, with the flags of this checkout. */
export function typeErrorsIn(snippets: readonly Snippet[]): string[] {
  const files = new Map(
    snippets.map(({ code }, at) => [join(root, 'test', `snippet-${at}.ts`), `${code}\nexport {}\n`]),
  )
  const config = ts.readConfigFile(join(root, 'tsconfig.base.json'), (file) => ts.sys.readFile(file))
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
  const disk = ts.createCompilerHost(options)
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (name) => files.has(name) || disk.fileExists(name),
    readFile: (name) => files.get(name) ?? disk.readFile(name),
    getSourceFile: (name, target, ...rest) => {
      const text = files.get(name)
      return text === undefined
        ? disk.getSourceFile(name, target, ...rest)
        : ts.createSourceFile(name, text, target)
    },
  }
  const program = ts.createProgram([...files.keys()], { ...options, noEmit: true }, host)
  return [...files.keys()].flatMap((name, at) => {
    const file = program.getSourceFile(name)
    const problems = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    return problems.map((problem) => {
      const line = file?.getLineAndCharacterOfPosition(problem.start ?? 0).line ?? 0
      const message = ts.flattenDiagnosticMessageText(problem.messageText, ' ')
      return `${snippets[at]?.path ?? ''}:${(snippets[at]?.line ?? 0) + line}: ${message}`
    })
  })
}
