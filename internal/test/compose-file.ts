import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

/** What is looked at of a service. */
interface Service {
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
