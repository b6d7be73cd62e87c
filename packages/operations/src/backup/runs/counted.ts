/** Bytes on their way, each piece shown to `look`. */
export async function* counted(
  body: AsyncIterable<Uint8Array>,
  look: (bytes: Uint8Array) => void,
): AsyncIterable<Uint8Array> {
  for await (const bytes of body) {
    look(bytes)
    yield bytes
  }
}
