import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

/** What is looked at of a service. */
export interface Service {
  image?: string
  command?: string[]
  /** A name without a value is passed on where it is set. */
  environment?: Record<string, string | number | null>
  healthcheck?: { test: string[] }
  volumes?: string[]
  ports?: string[]
  read_only?: boolean
  tmpfs?: string[]
  cap_drop?: string[]
  security_opt?: string[]
}

/** The services of a compose file, anchors and merges resolved, variables not. */
export function readServices(file: string): Record<string, Service> {
  const { services } = parse(readFileSync(file, 'utf8'), { merge: true }) as {
    services: Record<string, Service>
  }
  return services
}

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
