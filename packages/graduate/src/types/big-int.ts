import { refused, type Encode } from './encode.ts'
import type { EncodeStored } from './stored-cell.ts'
import type { ValueType } from './value-type.ts'
import { wholeNumber } from './whole-number.ts'

const encode: Encode = (cell, writer, context) => {
  const value = wholeNumber(cell, context)
  if (typeof value === 'object') return value
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value) {
    return refused('does not fit in 64 bits', 'make the field Decimal in the schema')
  }
  writer.int32(8)
  if (typeof value === 'bigint') writer.bigInt64(value)
  else writer.int64(value)
  return undefined
}

const encodeStored: EncodeStored = ({ storage, number, bytes, at }, writer) => {
  if (storage !== 'integer') return false
  writer.int32(8)
  if (Number.isSafeInteger(number)) writer.int64(number)
  else writer.bytes(bytes.subarray(at, at + 8))
  return true
}

function decode(field: Buffer): number | bigint {
  const value = field.readBigInt64BE()
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

export const bigIntType: ValueType = {
  prisma: 'BigInt',
  column: () => ['int8', -1],
  sql: {
    int8: {
      kind: 'number',
      encoder: () => encode,
      storedEncoder: () => encodeStored,
      decode,
      wider: 'numeric',
    },
  },
}
