/** The URL of the bundle for the URL of each source that a package exports; null where none can be made. */
export function bundles(): Promise<Readonly<Record<string, string>> | null>
