import { damagedPage } from '../damaged.ts'

/** What the smallest cell takes. */
const minCellBytes = 4

/** How much room a cell takes on its page. @param end of what was read of it */
export function cellBytes(at: number, end: number): number {
  return Math.max(end - at, minCellBytes)
}

/** Where the cells of a page begin. */
export function contentStart(bytes: Buffer, start: number): number {
  return bytes.readUInt16BE(start + 5) || 65536
}

/**
 * Sees to it that a page has no room left over: one that claims too few rows would hide the last of them from every reader.
 * Its cells, the blocks that are free and the fragments between them fill the page from where its content starts.
 * Source: "Database File Format" of SQLite's documentation, 1.6.
 * @param cells bytes of all of its cells
 */
export function checkSpace(bytes: Buffer, start: number, usable: number, page: number, cells: number): void {
  let filled = cells + (bytes[start + 7] as number)
  let last = 0
  for (let at = bytes.readUInt16BE(start + 1); at > 0; at = bytes.readUInt16BE(start + at)) {
    if (at <= last || at > usable - 4) throw damagedPage(page, 'has free space outside of it')
    last = at
    filled += bytes.readUInt16BE(start + at + 2)
  }
  if (filled !== usable - contentStart(bytes, start))
    throw damagedPage(page, 'has other rows than its room was given to')
}
