/** What a function that reads bytes throws, or undefined. */
export async function failureOf(
  run: () => Promise<unknown>,
): Promise<{ code?: string; message: string } | undefined> {
  try {
    await run()
    return undefined
  } catch (error) {
    return error as { code?: string; message: string }
  }
}

/** Bytes in pieces of a size, as a stream would bring them. */
export async function* inPieces(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** The same bytes with one bit turned. */
export function flipped(bytes: Buffer, at: number, bit = 0): Buffer {
  const other = Buffer.from(bytes)
  other[at] = (other[at] as number) ^ (1 << bit)
  return other
}
