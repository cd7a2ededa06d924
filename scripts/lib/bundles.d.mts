export interface Made {
  /** The root of the checkout. */
  readonly at: string
  readonly entries: Readonly<Record<string, string>>
  /** Of each source that went in, below the root: what it was like then. */
  readonly inputs: Readonly<Record<string, string>>
}
/** @throws when a source is gone */
export function isFresh(made: Made): boolean
/** The URL of the bundle for the URL of each source that a package exports; null where none can be made. */
export function bundles(): Promise<Readonly<Record<string, string>> | null>
