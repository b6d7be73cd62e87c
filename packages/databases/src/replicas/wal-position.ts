/** A place in the write-ahead log of one cluster. */
export interface WalPosition {
  /** The cluster's system identifier: a primary and its replicas share it. */
  system: string
  /** Changes with each promotion: positions of two timelines are not comparable. */
  timeline: number
  /** Bytes since the beginning. */
  lsn: bigint
}

/** Whether a server that has replayed up to `replayed` has everything that was written up to `wanted`. */
export function hasReached(replayed: WalPosition, wanted: WalPosition): boolean {
  return isSameHistory(replayed, wanted) && replayed.lsn >= wanted.lsn
}

export function isSameHistory(one: WalPosition, other: WalPosition): boolean {
  return one.system === other.system && one.timeline === other.timeline
}

/** `7427512345678901234:1:0/3000148`: fits into a cookie and a header as it is. */
export function formatPosition({ system, timeline, lsn }: WalPosition): string {
  const half = (bits: bigint) => bits.toString(16).toUpperCase()
  return `${system}:${timeline}:${half(lsn >> 32n)}/${half(lsn & 0xffffffffn)}`
}

/** Undefined for anything else than what `formatPosition` writes. */
export function parsePosition(text: string): WalPosition | undefined {
  const [, system, timeline, lsn] = /^(\d{1,20}):(\d{1,10}):([\dA-F]{1,8}\/[\dA-F]{1,8})$/.exec(text) ?? []
  if (system === undefined || timeline === undefined || lsn === undefined) return undefined
  return { system, timeline: Number(timeline), lsn: parseLsn(lsn) }
}

/** `0/3000148` */
export function parseLsn(text: string): bigint {
  const [high = '', low = ''] = text.split('/')
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)
}

/** Bytes of a page's header in front of its first record; the first page of a segment has a longer one. */
const headerBytes = { page: 24n, segment: 40n }

/**
 * Where the last record ended. At the end of a page the server names the place of the next record, behind the next page's
 * header, which no replica reaches before there is one: so after each switch to another segment. No record ends right
 * behind a header, so that this is exact. Source: `XLogBytePosToRecPtr` and `XLogBytePosToEndRecPtr` of PostgreSQL.
 */
export function endOfLastRecord(insertLsn: bigint, pageBytes: number, segmentBytes: number): bigint {
  const isAtSegment = insertLsn % BigInt(segmentBytes) === headerBytes.segment
  const isAtPage = insertLsn % BigInt(pageBytes) === headerBytes.page
  return isAtSegment ? insertLsn - headerBytes.segment : isAtPage ? insertLsn - headerBytes.page : insertLsn
}
