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
  let rest: Buffer = Buffer.alloc(0)
  for (const piece of pieces) {
    const data = rest.length > 0 ? Buffer.concat([rest, piece]) : piece
    const end = numberRows(data, elements)
    yield data.subarray(0, end)
    rest = data.subarray(end)
  }
  if (rest.length > 0) throw new Error('the rows end within a row')
}

/** Puts the numbers into each whole row, and returns where the first incomplete one starts. */
function numberRows(data: Buffer, elements: readonly (number | undefined)[]): number {
  for (let start = 0; ;) {
    let at = start + 2
    for (const element of elements) {
      if (at + 4 > data.length) return start
      const length = data.readInt32BE(at)
      if (at + 4 + length > data.length) return start
      // `array_send`: dimensions, flags, the elements' type.
      if (element !== undefined && length > 0) data.writeUInt32BE(element >>> 0, at + 12)
      at += 4 + Math.max(length, 0)
    }
    if (at > data.length) return start
    start = at
  }
}
