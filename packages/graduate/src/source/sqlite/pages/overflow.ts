import { damagedPage } from '../damaged.ts'
import { PageWindow, type StaticFile } from './page-file.ts'

/** What is kept of the memory that a large row took. */
const keptBytes = 1024 * 1024
const aheadBytes = 64 * 1024

/** Puts rows together that are larger than a page: their ends are chains of pages. */
export class OverflowReader implements Disposable {
  readonly #file: StaticFile
  readonly #window: PageWindow
  readonly #perPage: number
  #bytes = Buffer.alloc(0)
  #view = new DataView(this.#bytes.buffer)

  constructor(file: StaticFile) {
    this.#file = file
    this.#window = new PageWindow(file, aheadBytes)
    this.#perPage = file.pageSize - file.reserved - 4
  }

  /**
   * The whole record of a row, in memory that is used again for the next one.
   * @param start where the first `local` bytes of it lie in the leaf; the number of the next page follows
   */
  read(
    leaf: PageWindow,
    page: number,
    start: number,
    local: number,
    size: number,
  ): { bytes: Buffer; view: DataView } {
    const pages = Math.ceil((size - local) / this.#perPage)
    if (pages > this.#file.pageCount) throw damagedPage(page, 'has a row that is larger than the file')
    const bytes = this.#room(size)
    bytes.set(leaf.bytes.subarray(start, start + local))
    let from = page
    let next = leaf.view.getUint32(start + local)
    let done = local
    for (let left = pages; left > 0; left--) {
      const inLeaf = leaf.find(next)
      const source = inLeaf === undefined ? this.#window : leaf
      // Chains are mostly of neighbours: where this page was one, so may those be that follow.
      const ahead = next === from + 1 || left === pages ? left - 1 : 0
      const at = inLeaf ?? this.#window.load(next, ahead, from)
      const part = Math.min(this.#perPage, size - done)
      bytes.set(source.bytes.subarray(at + 4, at + 4 + part), done)
      done += part
      from = next
      next = source.view.getUint32(at)
    }
    return { bytes, view: this.#view }
  }

  [Symbol.dispose](): void {
    this.#window[Symbol.dispose]()
  }

  #room(size: number): Buffer {
    if (this.#bytes.length < size || (this.#bytes.length > keptBytes && size <= keptBytes)) {
      this.#bytes = Buffer.allocUnsafeSlow(Math.max(size, 64 * 1024))
      this.#view = new DataView(this.#bytes.buffer)
    }
    return this.#bytes
  }
}
