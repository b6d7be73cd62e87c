import { damagedPage } from '../damaged.ts'
import { cellBytes, checkSpace, contentStart } from './page-space.ts'
import { Varint } from './varint.ts'

/** A rowid as the two halves of its 64 bits: the upper signed, the lower unsigned. */
export interface Rowid {
  high: number
  low: number
}

/** An interior page of a table: its children, and the rowids between them. */
export interface InteriorPage {
  page: number
  children: Uint32Array
  /** The highest rowid that each child may have. */
  highest: Rowid[]
  /** The rowid below which all rows lie elsewhere: each of them is larger. */
  lowest: Rowid
  /** The child that is being read. */
  at: number
}

const interiorType = 5
const leafType = 13

/** @returns the kind of page at `start`: of a table, or the file is damaged */
export function isLeaf(bytes: Buffer, start: number, page: number): boolean {
  const type = bytes[start]
  if (type === leafType) return true
  if (type === interiorType) return false
  throw damagedPage(page, 'is not a page of a table')
}

/** How many cells the page at `start` has, as many as have room. */
export function cellCount(
  bytes: Buffer,
  start: number,
  usable: number,
  header: number,
  page: number,
): number {
  const count = bytes.readUInt16BE(start + 3)
  if (header + 2 * count > usable) throw damagedPage(page, `claims ${count} rows, for which it has no room`)
  return count
}

const headerBytes = 12
const varint = new Varint()

/**
 * Reads an interior page whole, since few are, and checks that its rowids ascend within the bounds that its parent gives.
 * @param lowest all rowids are larger
 * @param highest none is larger
 */
export function readInterior(
  bytes: Buffer,
  start: number,
  usable: number,
  page: number,
  lowest: Rowid,
  highest: Rowid,
): InteriorPage {
  const count = cellCount(bytes, start, usable, headerBytes, page)
  if (count === 0) throw damagedPage(page, 'has no rows')
  const children = new Uint32Array(count + 1)
  const keys: Rowid[] = []
  const content = contentStart(bytes, start)
  let last = lowest
  let cells = 0
  for (let cell = 0; cell < count; cell++) {
    const at = bytes.readUInt16BE(start + headerBytes + 2 * cell)
    if (at < headerBytes + 2 * count || at < content || at > usable - 5)
      throw damagedPage(page, 'points to a row outside of it')
    children[cell] = bytes.readUInt32BE(start + at)
    const end = varint.read(bytes, start + at + 4)
    if (end > start + usable) throw damagedPage(page, 'has a row that ends outside of it')
    const { high, low } = varint
    const key = { high, low }
    if (!isLess(last, key) || isLess(highest, key))
      throw damagedPage(page, 'has rowids that are out of order')
    keys.push(key)
    last = key
    cells += cellBytes(start + at, end)
  }
  checkSpace(bytes, start, usable, page, cells)
  children[count] = bytes.readUInt32BE(start + 8)
  keys.push(highest)
  return { page, children, highest: keys, lowest, at: 0 }
}

export function isLess(a: Rowid, b: Rowid): boolean {
  return a.high < b.high || (a.high === b.high && a.low < b.low)
}
