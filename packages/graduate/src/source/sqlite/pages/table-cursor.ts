import { damagedPage } from '../damaged.ts'
import { cellCount, isLeaf, isLess, readInterior, type InteriorPage, type Rowid } from './interior-page.ts'
import { OverflowReader } from './overflow.ts'
import { cellBytes, checkSpace, contentStart } from './page-space.ts'
import { PageWindow, type StaticFile } from './page-file.ts'
import { Varint } from './varint.ts'

/** SQLite's own limit of a tree's depth. */
const maxDepth = 20
const headerBytes = 8
/** Below all 64 bits. */
const belowAll: Rowid = { high: -0x80000001, low: 0 }
const highestRowid: Rowid = { high: 0x7fffffff, low: 0xffffffff }

/**
 * Walks the b-tree of a table in the order of its rowids. Whatever a row must not be is damage: a rowid that does not ascend,
 * or lies outside of what the pages above it say, so that neither a row nor a page is met twice and none is passed over.
 * Source: "Database File Format" of SQLite's documentation, 1.5 and 1.6.
 */
export class TableCursor implements Disposable {
  /** Rowid of the row it stands on. */
  high = 0
  low = 0
  /** The page that the row is on. */
  page = 0
  /** Where the row's record lies. */
  bytes: Buffer
  view: DataView
  start = 0
  end = 0
  readonly #root: number
  readonly #usable: number
  readonly #range: { low: Rowid; high: Rowid }
  readonly #window: PageWindow
  readonly #file: StaticFile
  /** Many a table has no row that is larger than a page. */
  #overflow: OverflowReader | undefined
  readonly #varint = new Varint()
  readonly #above: InteriorPage[] = []
  #depth: number | undefined
  #isBegun = false
  /** Where the leaf starts in the window, its next row, and how many it has. */
  #leaf = 0
  #next = 0
  #count = 0
  /** What the leaf's rows take of it, as far as they were read. */
  #cells = 0
  #content = 0
  /** What no rowid of the leaf may exceed. */
  #highest = highestRowid

  /** @param range rowids to read, both included */
  constructor(file: StaticFile, root: number, range: { low: bigint; high: bigint }) {
    this.#root = root
    this.#usable = file.pageSize - file.reserved
    this.#range = { low: rowidOf(range.low), high: rowidOf(range.high) }
    this.#window = new PageWindow(file)
    this.#file = file
    this.bytes = this.#window.bytes
    this.view = this.#window.view
  }

  /** Goes to the next row; false at the end of the range. */
  next(): boolean {
    for (;;) {
      if (this.#next < this.#count) {
        this.#readCell()
        const { low, high } = this.#range
        if (this.high > high.high || (this.high === high.high && this.low > high.low)) {
          while (this.#next < this.#count) this.#readCell() // one of the range, out of its order, would be lost
          this.#endLeaf()
          return false
        }
        if (this.high > low.high || (this.high === low.high && this.low >= low.low)) {
          this.#readPayload()
          return true
        }
      } else {
        if (this.#isBegun) this.#endLeaf()
        if (!this.#nextLeaf()) return false
      }
    }
  }

  [Symbol.dispose](): void {
    this.#window[Symbol.dispose]()
    this.#overflow?.[Symbol.dispose]()
  }

  #nextLeaf(): boolean {
    if (!this.#isBegun) {
      this.#isBegun = true
      this.#descend(this.#root, 0, belowAll, highestRowid, this.#root)
      return true
    }
    for (;;) {
      const parent = this.#above.at(-1)
      if (parent === undefined) return false
      const lowest = parent.highest[parent.at] as Rowid
      parent.at++
      if (parent.at < parent.children.length) {
        // Whatever follows lies behind the range.
        if (!isLess(lowest, this.#range.high)) return false
        this.#descendInto(parent, lowest)
        return true
      }
      this.#above.pop()
    }
  }

  #descendInto(parent: InteriorPage, lowest: Rowid): void {
    const { children, highest, at, page } = parent
    const ahead = this.#window.runAt(children, at)
    this.#descend(children[at] as number, ahead, lowest, highest[at] as Rowid, page)
  }

  /** Goes down to the first leaf that may have a row of the range. All rows below `page` are above `lowest`. */
  #descend(page: number, ahead: number, lowest: Rowid, highest: Rowid, from: number): void {
    const start = this.#window.load(page, ahead, from)
    const { bytes } = this.#window
    if (!isLeaf(bytes, start, page)) {
      if (this.#above.length === maxDepth) throw damagedPage(page, 'is deeper in its tree than any can be')
      const interior = readInterior(bytes, start, this.#usable, page, lowest, highest)
      while (isLess(interior.highest[interior.at] as Rowid, this.#range.low)) {
        if (interior.at === interior.children.length - 1) break
        interior.at++
      }
      this.#above.push(interior)
      this.#descendInto(interior, interior.at === 0 ? lowest : (interior.highest[interior.at - 1] as Rowid))
      return
    }
    const depth = this.#above.length
    this.#depth ??= depth
    this.#count = cellCount(bytes, start, this.#usable, headerBytes, page)
    if (depth !== this.#depth || (depth > 0 && this.#count === 0))
      throw damagedPage(page, 'is in the wrong place of its tree')
    this.page = page
    this.#leaf = start
    this.#next = 0
    this.#cells = 0
    this.#content = contentStart(bytes, start)
    this.#highest = highest
    this.high = lowest.high
    this.low = lowest.low
  }

  #readCell(): void {
    const { bytes, view } = this.#window
    const leaf = this.#leaf
    const usable = this.#usable
    const at = view.getUint16(leaf + headerBytes + 2 * this.#next++)
    if (at < headerBytes + 2 * this.#count || at < this.#content || at > usable - 4)
      throw damagedPage(this.page, 'points to a row outside of it')
    const varint = this.#varint
    const size = varint.read(bytes, leaf + at)
    this.#size = varint.value
    this.#local = varint.read(bytes, size)
    const { high, low } = varint
    const ascends = high > this.high || (high === this.high && low > this.low)
    const { high: most, low: mostLow } = this.#highest
    if (!ascends || high > most || (high === most && low > mostLow))
      throw damagedPage(this.page, 'has rowids that are out of order')
    this.high = high
    this.low = low
    const local = this.#size <= usable - 35 ? this.#size : localBytes(this.#size, usable) + 4
    this.#cells += cellBytes(leaf + at, this.#local + local)
  }

  /** All of its rows have been read. */
  #endLeaf(): void {
    checkSpace(this.#window.bytes, this.#leaf, this.#usable, this.page, this.#cells)
  }

  /** Bytes of the row's record, and where those of them that are on the leaf start. */
  #size = 0
  #local = 0

  #readPayload(): void {
    const usable = this.#usable
    const size = this.#size
    const start = this.#local
    const end = this.#leaf + usable
    const largest = usable - 35
    if (size <= largest) {
      if (start + size > end) throw damagedPage(this.page, 'has a row that ends outside of it')
      this.bytes = this.#window.bytes
      this.view = this.#window.view
      this.start = start
      this.end = start + size
      return
    }
    const local = localBytes(size, usable)
    if (start + local + 4 > end) throw damagedPage(this.page, 'has a row that ends outside of it')
    this.#overflow ??= new OverflowReader(this.#file)
    const { bytes, view } = this.#overflow.read(this.#window, this.page, start, local, size)
    this.bytes = bytes
    this.view = view
    this.start = 0
    this.end = size
  }
}

/** How many bytes of a record that is larger than a page are on its leaf. */
function localBytes(size: number, usable: number): number {
  const least = Math.floor(((usable - 12) * 32) / 255) - 23
  const even = least + ((size - least) % (usable - 4))
  return even <= usable - 35 ? even : least
}

function rowidOf(value: bigint): Rowid {
  return { high: Number(value >> 32n), low: Number(value & 0xffffffffn) }
}
