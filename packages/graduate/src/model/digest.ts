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

/** The digest after changes, each given by the difference that it makes. A sum can be carried along: no row is read again. */
export function applyToDigest(digest: Digest, changes: Digest[]): Digest {
  return changes.reduce(addDigests, digest)
}

/** The digest before `changes`. */
export function undoInDigest(digest: Digest, changes: Digest[]): Digest {
  return changes.reduce((rest, { rows, sum }) => addDigests(rest, { rows: -rows, sum: -sum }), digest)
}
