import { readSync } from 'node:fs'
import { damagedPage } from '../damaged.ts'

/** A file of pages that does not change for as long as it is read. It can be sent to a thread. */
export interface StaticFile {
  /** Of the file, open for reading; whoever opened it closes it. */
  descriptor: number
  /** Bytes of a page, a power of two from 512 to 65,536. */
  pageSize: number
  /** Bytes at the end of each page that belong to extensions. */
  reserved: number
  pageCount: number
}

const windowBytes = 256 * 1024
/** Memory of windows that are used no more: a file may have a thousand small tables. */
const unused: Buffer[] = []
const maxUnused = 4

/** Reads pages, the numbers of which come in a known order, a run of neighbours at a time. */
export class PageWindow implements Disposable {
  readonly bytes: Buffer
  readonly view: DataView
  readonly #file: StaticFile
  readonly #maxPages: number
  #first = 0
  #count = 0

  constructor(file: StaticFile, bytes = windowBytes) {
    this.#file = file
    this.#maxPages = Math.max(1, Math.floor(bytes / file.pageSize))
    const size = this.#maxPages * file.pageSize
    const known = unused.findIndex(({ length }) => length === size)
    this.bytes = known < 0 ? Buffer.allocUnsafeSlow(size) : (unused.splice(known, 1)[0] as Buffer)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Nothing may be read from it after that. */
  [Symbol.dispose](): void {
    if (unused.length < maxUnused) unused.push(this.bytes)
  }

  /** Where a page starts in `bytes`, undefined when it is not there. */
  find(page: number): number | undefined {
    const at = page - this.#first
    return at >= 0 && at < this.#count ? at * this.#file.pageSize : undefined
  }

  /**
   * Has a page, and where it starts in `bytes`. What was there before may be gone.
   * @param ahead how many of the pages behind it are worth reading with it
   * @param from the page that names it
   */
  load(page: number, ahead: number, from: number): number {
    const known = this.find(page)
    if (known !== undefined) return known
    const { pageCount } = this.#file
    this.#count = 0
    if (page < 2 || page > pageCount) throw damagedPage(from, `names page ${page}, which is not there`)
    const count = Math.min(ahead + 1, this.#maxPages, pageCount - page + 1)
    readFully(this.#file, this.bytes, page, count)
    this.#first = page
    this.#count = count
    return 0
  }

  /** How many of the pages behind the first of `pages` are worth reading with it: at least every second is among them. */
  runAt(pages: Uint32Array, at: number): number {
    const first = pages[at] as number
    let ahead = 0
    for (let next = at + 1; next < pages.length; next++) {
      const distance = (pages[next] as number) - first
      if (distance <= (pages[next - 1] as number) - first || distance >= this.#maxPages) break
      if (distance > 2 * (next - at)) break
      ahead = distance
    }
    return ahead
  }
}

function readFully({ descriptor, pageSize }: StaticFile, into: Buffer, page: number, count: number): void {
  const wanted = count * pageSize
  const position = (page - 1) * pageSize
  for (let done = 0; done < wanted;) {
    const read = readSync(descriptor, into, done, wanted - done, position + done)
    if (read === 0) throw damagedPage(page + Math.floor(done / pageSize), 'is beyond the end of the file')
    done += read
  }
}
