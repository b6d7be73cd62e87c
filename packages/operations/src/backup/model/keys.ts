import { randomBytes } from 'node:crypto'

/** `20261126T171500Z-9f3a61c0`: in order of time. */
export function newBackupId(now: Date): string {
  return `${compactTime(now)}-${randomBytes(4).toString('hex')}`
}

export function isBackupId(text: string): boolean {
  return /^\d{8}T\d{6}Z-[0-9a-f]{8}$/.test(text)
}

export const manifestKey = (id: string): string => `${id}/manifest.json`
export const partKey = (id: string, name: string): string => `${id}/${name}`
export const drillKey = (id: string, at: Date): string => `${id}/drill-${compactTime(at)}.json`

/** What a key of a backup is for; undefined for keys that are no backup's. */
export function readKey(
  key: string,
): { id: string; kind: 'manifest' | 'drill' | 'part'; name: string } | undefined {
  const slash = key.indexOf('/')
  const id = key.slice(0, slash)
  const name = key.slice(slash + 1)
  if (slash < 0 || !isBackupId(id)) return undefined
  if (name === 'manifest.json') return { id, kind: 'manifest', name }
  return { id, kind: /^drill-\d{8}T\d{6}Z\.json$/.test(name) ? 'drill' : 'part', name }
}

/** ISO 8601, to the second. */
export function timeOfId(id: string): string {
  return id.slice(0, 16).replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5')
}

function compactTime(time: Date): string {
  return time.toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '')
}
