import type { ValueRule } from './rule.ts'

/** The bytes are those that SQLite's CAST of the number to TEXT gives. */
export const bytesFromNumber: ValueRule<Buffer, Buffer> = {
  name: 'bytes-from-number',
  help: 'stores a number in a binary column as the bytes of its decimal text',
  fix: (bytes) => bytes,
}
