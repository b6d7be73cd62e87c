/** Mulberry32: the same choices for the same seed. */
export class Choices {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }

  whole(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  of<Item>(items: readonly Item[]): Item {
    return items[this.whole(items.length)] as Item
  }

  often(share: number): boolean {
    return this.next() < share
  }
}
