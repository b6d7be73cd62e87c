import type { Encode } from './codec.ts'
import { bad } from './codec.ts'

/** Prisma `Bytes`: the bytes; text gives its own, never taken for base64. */
export const encodeBytes: Encode = (cell, writer, cast) => {
  if (Buffer.isBuffer(cell)) {
    writer.int32(cell.length)
    writer.bytes(cell)
    return undefined
  }
  const isNumber = typeof cell !== 'string'
  if (isNumber && !cast.rules.has('bytes-from-number')) {
    return bad('is a number, not binary data', 'bytes-from-number')
  }
  const bytes = cast.readExactly().bytes as Buffer
  cast.fixed(isNumber ? 'bytes-from-number' : 'note:bytes-from-text')
  writer.int32(bytes.length)
  writer.bytes(bytes)
  return undefined
}
