/**
 * Rows in binary COPY form whose lists name their elements' types by the numbers of this database: where they were
 * rendered, a type that was made, such as an enum, had another number.
 * @param pieces the rows, cut anywhere
 * @param elements by column, its elements' type; undefined for what is no list
 */
export function* withElementTypes(
  pieces: Iterable<Buffer>,
  elements: readonly (number | undefined)[],
): Generator<Buffer> {
  let waiting: Buffer[] = []
  let length = 0
  let needed = 0
  for (const piece of pieces) {
    waiting.push(piece)
    length += piece.length
    // Of a large row the pieces are put together once, and not each to all before it.
    if (length < needed) continue
    const data = waiting.length === 1 ? piece : Buffer.concat(waiting)
    const rows = numberRows(data, elements)
    yield data.subarray(0, rows.end)
    waiting = [data.subarray(rows.end)]
    length -= rows.end
    needed = rows.needed
  }
  if (length > 0) throw new Error('the rows end within a row')
}

/**
 * Puts the numbers into each whole row. Returns where the first incomplete one starts, and how many bytes of it are needed
 * to see more of it.
 */
function numberRows(
  data: Buffer,
  elements: readonly (number | undefined)[],
): { end: number; needed: number } {
  for (let start = 0; ;) {
    let at = start + 2
    for (const element of elements) {
      if (at + 4 > data.length) return { end: start, needed: at + 4 - start }
      const length = data.readInt32BE(at)
      if (at + 4 + length > data.length) return { end: start, needed: at + 4 + length - start }
      // `array_send`: dimensions, flags, the elements' type.
      if (element !== undefined && length > 0) data.writeUInt32BE(element >>> 0, at + 12)
      at += 4 + Math.max(length, 0)
    }
    if (at > data.length) return { end: start, needed: at - start }
    start = at
  }
}
