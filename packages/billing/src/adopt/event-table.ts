import { hash } from 'node:crypto'

/** What a run knows of an event: that the inbox had it before, or what the run made of it. */
const marks = ['none', 'wasThere', 'dead', 'ignored', 'pending', 'done'] as const

export type EventMark = (typeof marks)[number]

/**
 * A number of rows and a mark for each event, in 13 bytes a slot: a Map of ids would take ten times as much, and ends at
 * sixteen million. Events are told apart by 63 bits of their ids' hashes; where two share them, only what is counted is wrong.
 */
export class EventTable {
  #slots = 4096
  #used = 0
  #keys = new Uint32Array(2 * this.#slots)
  #rows = new Uint32Array(this.#slots)
  #marks = new Uint8Array(this.#slots)

  /** Counts a row of an event. Returns how many it has by now. */
  count(id: string): number {
    const slot = this.#slotOf(id)
    const rows = (this.#rows[slot] ?? 0) + 1
    this.#rows[slot] = rows
    return rows
  }

  rows(id: string): number {
    return this.#rows[this.#slotOf(id)] ?? 0
  }

  mark(id: string): EventMark {
    return marks[this.#marks[this.#slotOf(id)] ?? 0] ?? 'none'
  }

  setMark(id: string, mark: EventMark): void {
    this.#marks[this.#slotOf(id)] = marks.indexOf(mark)
  }

  /** The event's slot, which is its own from now on; others move when the table grows. */
  #slotOf(id: string): number {
    const digest = hash('sha256', id, 'hex')
    return this.#place(parseInt(digest.slice(0, 8), 16), parseInt(digest.slice(8, 16), 16) | 1)
  }

  #place(low: number, odd: number): number {
    const high = odd >>> 0
    for (let slot = low & (this.#slots - 1); ; slot = (slot + 1) & (this.#slots - 1)) {
      const found = this.#keys[2 * slot + 1] // odd where the slot is taken
      if (found === high && this.#keys[2 * slot] === low) return slot
      if (found !== 0) continue
      if (++this.#used > this.#slots * 0.7) {
        this.#grow()
        return this.#place(low, odd)
      }
      this.#keys[2 * slot] = low
      this.#keys[2 * slot + 1] = high
      return slot
    }
  }

  #grow(): void {
    const before = { keys: this.#keys, rows: this.#rows, marks: this.#marks }
    this.#slots *= 2
    this.#used = 0
    this.#keys = new Uint32Array(2 * this.#slots)
    this.#rows = new Uint32Array(this.#slots)
    this.#marks = new Uint8Array(this.#slots)
    for (let at = 0; at < before.rows.length; at++) {
      const high = before.keys[2 * at + 1] ?? 0
      if (high === 0) continue
      const slot = this.#place(before.keys[2 * at] ?? 0, high)
      this.#rows[slot] = before.rows[at] ?? 0
      this.#marks[slot] = before.marks[at] ?? 0
    }
  }
}
