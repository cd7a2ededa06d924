export function stripTypes(text: string, path: string): string
