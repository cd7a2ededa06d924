/** The formats of `-o`, the same for every command. */
import { Option, type Command } from 'commander'
import { CliError } from './errors.ts'
import { padTo, widthOf } from './width.ts'

export const FORMATS = ['table', 'json', 'jsonl', 'raw'] as const
/** table: for people · json: one document · jsonl: one document a line · raw: the values alone, separated by tabs */
export type Format = (typeof FORMATS)[number]

export function addOutputOption(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'of data and of errors')
      .choices(FORMATS)
      .default('table')
      .env('LAB_OUTPUT'),
  )
}

/** One thing to be shown; all of a list have the same keys, in the same order. */
export type Row = Readonly<Record<string, unknown>>

/** A list of things. */
export function formatRows(rows: readonly Row[], format: Format): string {
  switch (format) {
    case 'table':
      return table(rows)
    case 'json':
      return `${JSON.stringify(rows, null, 2)}\n`
    case 'jsonl':
      return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
    case 'raw':
      return rows.map((row) => `${Object.values(row).map(cell).join('\t')}\n`).join('')
  }
}

/** A single thing; as a table, by `sentence`. */
export function formatRow(row: Row, format: Format, sentence: string): string {
  switch (format) {
    case 'table':
      return `${sentence}\n`
    case 'json':
    case 'jsonl':
      return `${JSON.stringify(row)}\n`
    case 'raw':
      return `${Object.values(row).map(cell).join('\t')}\n`
  }
}

/** Of a write that failed. */
const WHAT_BECAME_OF_IT: Readonly<Record<string, string>> = {
  unknown: ' — it may have been applied, or may yet be',
  'not-applied': ' — nothing was changed',
}

/** An error as a line of standard error. */
export function formatError(error: Error, format: Format): string {
  const { code, outcome } = error as Error & { readonly code?: unknown; readonly outcome?: unknown }
  if (format === 'json' || format === 'jsonl')
    return JSON.stringify({
      error: {
        ...{ code: typeof code === 'string' ? code : 'FAILED', message: error.message, outcome },
        ...(error instanceof CliError ? error.details : {}),
      },
    })
  return `lab: ${error.message}${WHAT_BECAME_OF_IT[String(outcome)] ?? ''}`
}

/** Bytes in JSON: text when they are UTF-8, else base 64 under a name of its own. */
export function jsonBytes(bytes: Uint8Array): string | { readonly b64: string } {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return { b64: Buffer.from(bytes).toString('base64') }
  }
}

/** Bytes on a terminal, which would obey control characters: those, and what is not UTF-8, are shown and not sent. */
export function printable(bytes: Uint8Array): string {
  return printableText(new TextDecoder().decode(bytes))
}

/** The same of text. */
export function printableText(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '�')
}

function table(rows: readonly Row[]): string {
  const names = Object.keys(rows[0] ?? {})
  const lines = [
    names.map((name) => name.toUpperCase()),
    ...rows.map((row) => names.map((name) => cell(row[name]))),
  ]
  const widths = names.map((_, at) =>
    lines.reduce((most, line) => Math.max(most, widthOf(line[at] ?? '')), 0),
  )
  return lines
    .map(
      (line) =>
        `${line
          .map((text, at) => padTo(text, widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '-'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
