/** Bytes cut into pieces of one size. Only the last is shorter, and there always is a last, which may be empty. */
export async function* inChunks(
  body: AsyncIterable<Uint8Array>,
  size: number,
): AsyncIterable<{ bytes: Buffer; isLast: boolean }> {
  let held: Uint8Array[] = []
  let heldBytes = 0
  for await (const piece of body) {
    held.push(piece)
    heldBytes += piece.length
    if (heldBytes <= size) continue
    const all = Buffer.concat(held, heldBytes)
    let at = 0
    // A full one is kept back until it is known not to be the last.
    for (; heldBytes - at > size; at += size) yield { bytes: all.subarray(at, at + size), isLast: false }
    held = [all.subarray(at)]
    heldBytes -= at
  }
  yield { bytes: Buffer.concat(held, heldBytes), isLast: true }
}
