import type { readServices } from '../test/compose-file.ts'

type Service = ReturnType<typeof readServices>[string]

/**
 * What a service's process finds in its environment.
 * @param env what .env and the shell set
 */
export function environmentOf(
  { environment = {} }: Service,
  env: Record<string, string>,
): Record<string, string> {
  const entries = Object.entries(environment).map(([name, value]): [string, string | undefined] => [
    name,
    value === null ? env[name] : interpolated(String(value), env),
  ])
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined))
}

function interpolated(value: string, env: Record<string, string>): string {
  return value.replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind?: string, rest = '') => {
    const known = env[name] ?? ''
    if (known !== '') return known
    if (kind === '-') return rest
    throw new Error(`${name} is not set`)
  })
}
