import { expect } from 'vitest'

/** What parses an environment, and throws where something is missing from it. */
export type Read = (env: Record<string, string | undefined>) => unknown

/** The variables that a schema looks for. */
export function askedBy(read: Read): string[] {
  const asked = new Set<string>()
  const env = new Proxy<Record<string, string | undefined>>(
    {},
    { get: (_, name) => (asked.add(String(name)), undefined) },
  )
  expect(() => read(env)).toThrow('The environment is incomplete')
  return [...asked]
}
