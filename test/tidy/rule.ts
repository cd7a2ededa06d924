import type { Source } from './source.ts'

/** A house rule that a machine can check, file by file. */
export interface Rule {
  /** What holds: the title of its test. */
  readonly title: string
  applies(path: string): boolean
  /** One line for each place that breaks the rule, starting with its line number. */
  violations(source: Source): readonly string[]
  /** Breaks the rule once at least: proves that the rule can fail. */
  readonly broken: { readonly path: string; readonly text: string }
}
