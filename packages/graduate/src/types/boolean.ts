import { applyRule } from '../rules/rule.ts'
import { booleanWords } from '../rules/boolean-words.ts'
import { refused, type Encode } from './encode.ts'
import type { EncodeStored } from './stored-cell.ts'
import type { ValueType } from './value-type.ts'

/** 0 and 1. */
const encode: Encode = (cell, writer, context) => {
  const value = (typeof cell === 'string' ? applyRule(booleanWords, cell, context) : undefined) ?? cell
  if (value !== 0 && value !== 1 && value !== 0n && value !== 1n) {
    return typeof cell === 'string' && booleanWords.fix(cell) !== undefined
      ? refused('is a word, not 0 or 1', booleanWords.name)
      : refused('is neither 0 nor 1')
  }
  writer.int32(1)
  writer.byte(Number(value))
  return undefined
}

const encodeStored: EncodeStored = ({ storage, number }, writer) => {
  if (storage !== 'integer' || (number !== 0 && number !== 1)) return false
  writer.int32(1)
  writer.byte(number)
  return true
}

export const booleanType: ValueType = {
  prisma: 'Boolean',
  column: () => ['bool', -1],
  sql: {
    bool: {
      kind: 'bool',
      encoder: () => encode,
      storedEncoder: () => encodeStored,
      decode: (field) => field[0] as number,
      wider: 'bool',
    },
  },
}
