import { bad, type Encode } from './codec.ts'

const words: Record<string, boolean> = {
  t: true,
  true: true,
  yes: true,
  y: true,
  on: true,
  '1': true,
  f: false,
  false: false,
  no: false,
  n: false,
  off: false,
  '0': false,
}

/** Prisma `Boolean`: 0 and 1, or words under the rule `boolean-words`. */
export const encodeBoolean: Encode = (cell, writer, cast) => {
  let value = cell
  if (typeof value === 'string' && cast.rules.has('boolean-words')) {
    const word = words[value.trim().toLowerCase()]
    if (word !== undefined) {
      cast.fixed('boolean-words')
      value = word ? 1 : 0
    }
  }
  if (value !== 0 && value !== 1 && value !== 0n && value !== 1n) {
    return typeof cell === 'string' && words[cell.trim().toLowerCase()] !== undefined
      ? bad('is a word, not 0 or 1', 'boolean-words')
      : bad('is neither 0 nor 1')
  }
  writer.int32(1)
  writer.ensure(1)
  writer.buffer[writer.at++] = Number(value)
  return undefined
}
