import { createHash } from 'node:crypto'

/** Bytes that Postgres keeps of a name. Source: PostgreSQL's documentation, "Identifiers and Key Words". */
const most = 63

/** Whether Postgres would cut the name off, in silence. */
export function isLongName(name: string): boolean {
  return Buffer.byteLength(name) > most
}

/** The name, or as much of it as fits with a checksum, which tells apart names that begin alike. */
export function shortName(name: string): string {
  if (!isLongName(name)) return name
  const checksum = createHash('sha256').update(name).digest('hex').slice(0, 8)
  // Characters are kept whole: half of one reads as U+FFFD.
  const start = Buffer.from(name)
    .subarray(0, most - 1 - checksum.length)
    .toString('utf8')
    .replace(/\uFFFD$/, '')
  return `${start}_${checksum}`
}
