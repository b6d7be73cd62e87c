import { refused, type Encode } from './encode.ts'
import type { EncodeStored } from './stored-cell.ts'
import type { SqlType, ValueType } from './value-type.ts'
import { wholeNumber } from './whole-number.ts'

const ranges = {
  int2: { min: -32768, max: 32767, bytes: 2 },
  int4: { min: -2147483648, max: 2147483647, bytes: 4 },
  oid: { min: 0, max: 4294967295, bytes: 4 },
} as const

function encoder(type: keyof typeof ranges): Encode {
  const { min, max, bytes } = ranges[type]
  return (cell, writer, context) => {
    const value = wholeNumber(cell, context)
    if (typeof value === 'object') return value
    if (value < min || value > max) {
      return refused(`does not fit in ${bytes * 8} bits`, 'make the field BigInt in the schema')
    }
    writer.int32(bytes)
    if (bytes === 2) writer.int16(Number(value))
    else writer.int32(Number(value) | 0)
    return undefined
  }
}

function storedEncoder(type: keyof typeof ranges): EncodeStored {
  const { min, max, bytes } = ranges[type]
  return ({ storage, number }, writer) => {
    if (storage !== 'integer' || number < min || number > max) return false
    writer.int32(bytes)
    if (bytes === 2) writer.int16(number)
    else writer.int32(number | 0)
    return true
  }
}

function sqlType(type: keyof typeof ranges, decode: (field: Buffer) => number): SqlType {
  return {
    kind: type === 'oid' ? 'other' : 'number',
    encoder: () => encoder(type),
    storedEncoder: () => storedEncoder(type),
    decode,
    wider: 'numeric',
  }
}

export const intType: ValueType = {
  prisma: 'Int',
  column: () => ['int4', -1],
  sql: {
    int2: sqlType('int2', (field) => field.readInt16BE()),
    int4: sqlType('int4', (field) => field.readInt32BE()),
    oid: sqlType('oid', (field) => field.readUInt32BE()),
  },
}
