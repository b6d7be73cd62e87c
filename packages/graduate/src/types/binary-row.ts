/**
 * A row in binary COPY form from what a server gave of its fields.
 * @param columns whether a field is text as it stands, or bytes in the server's hexadecimal output
 */
export function binaryRow(
  fields: readonly (string | null | Buffer)[],
  columns: readonly { isText: boolean }[],
): Buffer {
  const count = Buffer.alloc(2)
  count.writeInt16BE(fields.length)
  const parts: Buffer[] = [count]
  for (const [at, field] of fields.entries()) {
    const bytes = bytesOf(field, columns[at]?.isText ?? false)
    const length = Buffer.alloc(4)
    length.writeInt32BE(bytes === null ? -1 : bytes.length)
    parts.push(length)
    if (bytes !== null) parts.push(bytes)
  }
  return Buffer.concat(parts)
}

function bytesOf(field: string | null | Buffer, isText: boolean): Buffer | null {
  if (field === null || Buffer.isBuffer(field)) return field
  return isText ? Buffer.from(field) : Buffer.from(field.slice(2), 'hex')
}
