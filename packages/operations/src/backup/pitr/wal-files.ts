/** Files that a server archives: segments of WAL, what it writes beside them, and histories of timelines. */
export function isWalFile(name: string): boolean {
  return /^[0-9A-F]{24}(\.partial|\.[0-9A-F]{8}\.backup)?$|^[0-9A-F]{8}\.history$/.test(name)
}

/** `0000000100000002000000A3`: timeline, then the position. */
export function isSegment(name: string): boolean {
  return /^[0-9A-F]{24}$/.test(name)
}

/** The segment that follows on the same timeline. */
export function nextSegment(name: string, segmentBytes: number): string {
  const perGroup = 0x1_0000_0000 / segmentBytes
  const group = Number.parseInt(name.slice(8, 16), 16)
  const at = Number.parseInt(name.slice(16), 16) + 1
  const [newGroup, newAt] = at < perGroup ? [group, at] : [group + 1, 0]
  return name.slice(0, 8) + hex(newGroup) + hex(newAt)
}

/** The WAL of one life of a server: from `backup init` until it is restored elsewhere. */
export const walPrefix = 'wal/'
export const archivePrefix = (archive: string): string => `${walPrefix}${archive}/`
export const walKey = (archive: string, name: string): string => archivePrefix(archive) + name
/** Of a file in an archive; undefined for other keys. */
export function readWalKey(key: string): { archive: string; name: string } | undefined {
  const [, archive, name] = /^wal\/([\w-]+)\/([^/]+)$/.exec(key) ?? []
  return archive === undefined || name === undefined ? undefined : { archive, name }
}
/** Says that an archive has begun: without it, the storage is not the one that it began in. */
export const begunKey = (archive: string): string => `${archivePrefix(archive)}begun`

/** What tells `archive-wal` to begin the archive, in place of a path; and what `restore-wal` asks for to be tried. */
export const probe = '--probe'

function hex(value: number): string {
  return value.toString(16).toUpperCase().padStart(8, '0')
}
