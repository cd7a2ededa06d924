/** Links and file names in Markdown that lead nowhere. */
import { existsSync } from 'node:fs'
import { posix } from 'node:path'
import { join } from 'node:path'
import { readText, root } from './files.ts'

/** One line for each relative link, anchor or file of this checkout named in `markdown` that is not there. */
export function brokenLinks(path: string, markdown: string): string[] {
  const text = withoutCode(markdown)
  const links = [...text.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '')
  const named = [...text.matchAll(/`((?:packages|docs|examples|scripts|bench|demo|test)\/[\w./-]+)`/g)]
  return [
    ...links.filter((link) => !resolves(path, markdown, link)).map((link) => `${path}: (${link})`),
    ...named
      .map((match) => match[1] ?? '')
      .filter((file) => !existsSync(join(root, file)))
      .map((file) => `${path}: \`${file}\``),
  ]
}

function resolves(path: string, markdown: string, link: string): boolean {
  if (/^[a-z]+:/.test(link)) return true
  const [file = '', anchor] = link.split('#')
  const target = file === '' ? path : posix.join(posix.dirname(path), file)
  if (!existsSync(join(root, target))) return false
  if (anchor === undefined || !target.endsWith('.md')) return true
  return anchorsOf(file === '' ? markdown : readText(target)).includes(anchor)
}

/** Headings as GitHub names them in addresses. */
export function anchorsOf(markdown: string): string[] {
  return [...withoutCode(markdown).matchAll(/^#{1,6} (.+)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^ *```[\s\S]*?^ *```/gm, '')
}
