const colon = 0x3a
/** Longer keys are read each time. */
const maxKeyBytes = 64
/** How many keys are known behind the same ones, and in all: some objects have a new key in every document. */
const maxNext = 8
const maxKnown = 2048

/**
 * The keys that an object begins with. Documents of one column mostly have the same ones: then they are compared instead of
 * read, and an object that ends here is put in the order that the first one like it was put in.
 */
export class KeyPath {
  /** Bytes of the last key, its quotes included. */
  readonly length: number
  /** The order of an object's members, once one that ends here has been put in it. */
  order: Int32Array | undefined
  /** The last key and its colon as words; of the last word only the bits of the mask count. */
  readonly #words: Int32Array
  readonly #mask: number
  readonly #next: KeyPath[] = []
  readonly #root: { known: number }

  private constructor(words: Int32Array, length: number, root: { known: number }) {
    this.#words = words
    this.length = length
    this.#mask = -1 << (8 * (3 - (length & 3)))
    this.#root = root
  }

  /** Before the first key. */
  static root(): KeyPath {
    return new KeyPath(new Int32Array(0), 0, { known: 0 })
  }

  /** The path with the key that starts at `at`, if it is known. A word is read wherever a byte of it is. */
  next(view: DataView, at: number): KeyPath | undefined {
    const next = this.#next
    for (let index = 0; index < next.length; index++) {
      const path = next[index] as KeyPath
      if (path.#is(view, at)) return path
    }
    return undefined
  }

  /** Makes a key known that is read from `at` to `end`, where its colon has to follow at once. */
  add(view: DataView, at: number, end: number): KeyPath | undefined {
    const length = end - at
    if (view.getUint8(end) !== colon || length > maxKeyBytes) return undefined
    if (this.#next.length === maxNext || this.#root.known === maxKnown) return undefined
    const words = Int32Array.from({ length: (length >> 2) + 1 }, (_, index) => view.getInt32(at + 4 * index))
    const path = new KeyPath(words, length, this.#root)
    words[words.length - 1] = (words.at(-1) as number) & path.#mask
    this.#next.push(path)
    this.#root.known++
    return path
  }

  #is(view: DataView, at: number): boolean {
    const words = this.#words
    const last = words.length - 1
    for (let index = 0; index < last; index++) {
      if (view.getInt32(at + 4 * index) !== words[index]) return false
    }
    return (view.getInt32(at + 4 * last) & this.#mask) === words[last]
  }
}
