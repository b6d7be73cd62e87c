/**
 * One-dimensional arrays in PostgreSQL's binary form, one for each field of binary COPY rows.
 * @param rows whole rows, one after the other, none of whose fields is NULL
 * @param elements OID of each field's type
 * Source: PostgreSQL, src/backend/utils/adt/arrayfuncs.c, array_recv.
 */
export function arraysOf(rows: Buffer, elements: readonly number[]): Buffer[] {
  const fields: Buffer[][] = elements.map(() => [])
  for (let at = 0; at < rows.length;) {
    at += 2
    for (const own of fields) {
      const end = at + 4 + rows.readInt32BE(at)
      own.push(rows.subarray(at, end))
      at = end
    }
  }
  return fields.map((own, at) => {
    const header = Buffer.alloc(20)
    header.writeInt32BE(own.length === 0 ? 0 : 1, 0)
    header.writeUInt32BE(elements[at] as number, 8)
    if (own.length === 0) return header.subarray(0, 12)
    header.writeInt32BE(own.length, 12)
    header.writeInt32BE(1, 16)
    return Buffer.concat([header, ...own])
  })
}
