/** Items of a list in arrays of up to `size`, as they come. */
export async function* chunksOf<Item>(items: AsyncIterable<Item>, size = 100): AsyncGenerator<Item[]> {
  let chunk: Item[] = []
  for await (const item of items) {
    chunk.push(item)
    if (chunk.length < size) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}
