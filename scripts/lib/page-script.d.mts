/** @returns a classic script */
export function pageScript(): Promise<string>
