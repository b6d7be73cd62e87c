import xxhash from 'xxhash-wasm'

/** A table's content as one number: rows, and the sum of their 64-bit hashes; the order does not matter. */
export interface Digest {
  rows: number
  /** Modulo 2^64. */
  sum: bigint
}

export const emptyDigest: Digest = { rows: 0, sum: 0n }

export function addDigests(a: Digest, b: Digest): Digest {
  return { rows: a.rows + b.rows, sum: BigInt.asUintN(64, a.sum + b.sum) }
}

export function sameDigest(a: Digest, b: Digest): boolean {
  return a.rows === b.rows && a.sum === b.sum
}

/** What a digest comes to by changes that are known, each with what it adds. */
export function expectedDigest(sent: Digest, adjustments: Digest[]): Digest {
  return adjustments.reduce(addDigests, sent)
}

/** The digest that `adjustments` would bring to `digest`. */
export function withoutAdjustments(digest: Digest, adjustments: Digest[]): Digest {
  return adjustments.reduce((rest, { rows, sum }) => addDigests(rest, { rows: -rows, sum: -sum }), digest)
}

let hasher: ((bytes: Uint8Array) => bigint) | undefined

/** Loads the hash (xxHash64, WebAssembly) once. */
export async function loadHash(): Promise<(bytes: Uint8Array) => bigint> {
  if (hasher === undefined) {
    const library = await xxhash()
    hasher = (bytes) => library.h64Raw(bytes)
  }
  return hasher
}

/** Hashes rows and sums the hashes. */
export class RowHasher {
  readonly #hash: (bytes: Uint8Array) => bigint
  #rows = 0
  #sum = 0n

  constructor(hash: (bytes: Uint8Array) => bigint) {
    this.#hash = hash
  }

  add(row: Uint8Array): void {
    this.#rows++
    this.#sum += this.#hash(row)
  }

  get digest(): Digest {
    return { rows: this.#rows, sum: BigInt.asUintN(64, this.#sum) }
  }
}
