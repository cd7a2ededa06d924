/** Catches a state machine looking at what differs between servers, by standing in for it while `apply` runs. */

type Replaceable = Record<string, unknown>

/** Where each stands: object, name. */
const FORBIDDEN: readonly { readonly holder: object; readonly name: string; readonly says: string }[] = [
  { holder: Math, name: 'random', says: 'Math.random' },
  { holder: Date, name: 'now', says: 'Date.now' },
  { holder: performance, name: 'now', says: 'performance.now' },
  { holder: crypto, name: 'getRandomValues', says: 'crypto.getRandomValues' },
  { holder: crypto, name: 'randomUUID', says: 'crypto.randomUUID' },
]

/** Runs `work`, which is synchronous. @throws what `complain` makes when it called something forbidden */
export function watchForbidden<T>(work: () => T, complain: (used: string) => Error): T {
  let used: string | null = null
  const restores = FORBIDDEN.map(({ holder, name, says }) =>
    replace(holder as Replaceable, name, (original) => (...given: unknown[]) => {
      used ??= says
      return original.apply(holder, given)
    }),
  )
  let result: T
  try {
    result = work()
  } finally {
    for (const restore of restores) restore()
  }
  if (used !== null) throw complain(used)
  return result
}

/** @returns a function that undoes it */
function replace(
  holder: Replaceable,
  name: string,
  make: (original: (...given: unknown[]) => unknown) => unknown,
): () => void {
  const own = Object.getOwnPropertyDescriptor(holder, name)
  const value = make(holder[name] as (...given: unknown[]) => unknown)
  Object.defineProperty(holder, name, { value, configurable: true, writable: true })
  return () => {
    if (own === undefined) Reflect.deleteProperty(holder, name)
    else Object.defineProperty(holder, name, own)
  }
}
