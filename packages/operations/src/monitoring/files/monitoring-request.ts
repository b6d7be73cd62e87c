import { Failure } from '@outgrow/kit'

/** What Prometheus is to read, as `host:port`. */
export interface MonitoringRequest {
  worker: string[]
  web: string[]
  /** Whether the apps want METRICS_TOKEN. */
  withToken: boolean
}

const loopback = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\]):/

/** Whether all that is read listens on this machine only, where a container has to share its network. */
export function isOnThisMachine({ worker, web }: MonitoringRequest): boolean {
  return [...worker, ...web].every((target) => loopback.test(target))
}

/** Whether they are services of compose, by their names; other machines have a domain or an address. */
export function areServices({ worker, web }: MonitoringRequest): boolean {
  return [...worker, ...web].some((target) => !loopback.test(target) && /^[\w-]+:/.test(target))
}

/** @throws Failure OUTGROW_OPTION_INVALID */
export function refuseWrongTargets({ worker, web }: MonitoringRequest): void {
  for (const [option, targets] of Object.entries({ worker, web })) {
    const wrong = targets.find((target) => !isTarget(target))
    if (wrong === undefined) continue
    throw new Failure({
      code: 'OUTGROW_OPTION_INVALID',
      message: `--${option} ${wrong} is not a host and a port.`,
      fix: `For example --${option} 127.0.0.1:3001, or --${option} worker:3001 for a service of compose.`,
    })
  }
  const mixed = [...worker, ...web].some((target) => loopback.test(target))
  if (!mixed || isOnThisMachine({ worker, web, withToken: false })) return
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: 'Some of what is to be read is on this machine’s loopback, and some is not.',
    why: 'A container of Prometheus is in one network: the machine’s own, or that of the other containers.',
    fix: 'Name both worker and web by an address of the same network.',
  })
}

function isTarget(target: string): boolean {
  const [, port] = /^(?:[\w.-]+|\[[0-9a-f:]+\]):(\d{1,5})$/i.exec(target) ?? []
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535
}
