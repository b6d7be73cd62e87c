import { addDigests, emptyDigest, type Digest } from './digest.ts'
import { RowHasher } from './row-hasher.ts'

/** Digests of a table's rows by buckets of their keys, so that two sides that differ show where. */
export class KeyDigests {
  /** By bucket. */
  readonly digests: Digest[]
  readonly #key: readonly number[]
  readonly #rowHasher: RowHasher
  readonly #keyHasher: RowHasher

  /**
   * @param key positions of the key's columns
   * @param lists whether each column is a list
   * @param buckets a power of two
   */
  constructor(key: readonly number[], lists: readonly boolean[], buckets: number) {
    this.digests = Array.from({ length: buckets }, () => emptyDigest)
    this.#key = key
    this.#rowHasher = new RowHasher(lists)
    this.#keyHasher = new RowHasher(key.map((at) => lists[at] as boolean))
  }

  add(row: Buffer): void {
    const bucket = this.bucketOf(row)
    const one = { rows: 1, sum: this.#rowHasher.hashOf(row) }
    this.digests[bucket] = addDigests(this.digests[bucket] as Digest, one)
  }

  /** The lower bits of the hash of the row's key. */
  bucketOf(row: Buffer): number {
    const hash = this.#keyHasher.hashOf(Buffer.concat([fieldCount, keyBytes(row, this.#key)]))
    return Number(hash & BigInt(this.digests.length - 1))
  }
}

/** Stands before a row's fields; no hash has it. */
const fieldCount = Buffer.alloc(2)

/** Each field's bytes, its length in front. */
export function fieldsOf(row: Buffer): Buffer[] {
  const fields: Buffer[] = []
  for (let at = 2; at < row.length;) {
    const length = row.readInt32BE(at)
    const end = at + 4 + Math.max(length, 0)
    fields.push(row.subarray(at, end))
    at = end
  }
  return fields
}

/** The fields of a row's key, one after the other. */
export function keyBytes(row: Buffer, positions: readonly number[]): Buffer {
  const fields = fieldsOf(row)
  return positions.length === 1
    ? (fields[positions[0] as number] as Buffer)
    : Buffer.concat(positions.map((at) => fields[at] as Buffer))
}
