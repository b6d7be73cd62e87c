import { applyRule } from '../rules/rule.ts'
import { bytesFromNumber } from '../rules/bytes-from-number.ts'
import { refused, type Encode } from './encode.ts'
import type { EncodeStored } from './stored-cell.ts'
import type { ValueType } from './value-type.ts'

/** The bytes; text gives its own, never taken for base64. */
const encode: Encode = (cell, writer, context) => {
  const bytes = Buffer.isBuffer(cell) ? cell : bytesOf()
  if (bytes === undefined) return refused('is a number, not binary data', bytesFromNumber.name)
  writer.int32(bytes.length)
  writer.bytes(bytes)
  return undefined

  function bytesOf(): Buffer | undefined {
    const exact = context.readExactly().bytes as Buffer
    if (typeof cell !== 'string') return applyRule(bytesFromNumber, exact, context)
    context.fixed('note:bytes-from-text')
    return exact
  }
}

const encodeStored: EncodeStored = ({ storage, bytes, at, length }, writer) => {
  if (storage !== 'blob') return false
  writer.int32(length)
  writer.bytes(bytes.subarray(at, at + length))
  return true
}

export const bytesType: ValueType = {
  prisma: 'Bytes',
  column: () => ['bytea', -1],
  sql: {
    bytea: {
      kind: 'bytes',
      encoder: () => encode,
      storedEncoder: () => encodeStored,
      decode: (field) => Buffer.from(field),
      wider: 'bytea',
    },
  },
}
