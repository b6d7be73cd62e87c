import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { RowHasher } from '../../model/row-hasher.ts'
import { BinaryWriter } from '../../types/binary-writer.ts'

/** A column as it is hashed. */
export interface HashedColumn {
  name: string
  /** Its type's name in pg_type, a domain's base type. */
  type: string
  /** The function that gives its binary form, as SQL names it. */
  send: string
  isList: boolean
  /** Of its values only whether they are NULL is hashed. */
  presenceOnly: boolean
}

/** SQL of a row's 64-bit hash: what `RowHasher` computes from the binary form of the same columns. */
export function rowHash(fields: string[]): string {
  return hashed(`int8send(${hashed(fields.join(', '))})`)
}

const hashed = (fields: string) => `hash_record_extended(ROW(${fields}), 0)`

/** SQL of what is hashed of a column: a text, a label or a bytea as it is, anything else in its binary form. */
export function fieldOf(hashed: HashedColumn): string {
  const { type, send, isList } = hashed
  const column = valueOf(hashed)
  if (hashed.presenceOnly) return column
  // Under another collation texts of different bytes may be equal, and have one hash.
  // An enum is sent as its label; of a domain over one `enum_send` is not found. And some types cannot be sent.
  const isText = type === 'text' || type === 'varchar' || send === 'enum_send' || send === '-'
  if (isText) return `${column}::text COLLATE "C"`
  if (type === 'bytea') return `${column}::bytea`
  if (isList) return `overlay(${send}(${column}) PLACING decode('00000000', 'hex') FROM 9 FOR 4)`
  return `${send}(${column})`
}

/** SQL of a column as it comes back. */
export function valueOf({ name, presenceOnly }: HashedColumn): string {
  const column = `t.${quoteIdentifier(name)}`
  return presenceOnly ? `CASE WHEN ${column} IS NOT NULL THEN ''::bytea END` : column
}

/** What is hashed of a column that is taken for NULL. */
export const nullField = 'NULL::bytea'

const testRows = 30

/**
 * Whether this server hashes rows as `RowHasher` does: texts and binary data of every length modulo 12, NULL, lists. One
 * before PostgreSQL 14, another engine, a big-endian machine or another encoding does not.
 */
export async function hashesRows(client: PostgresClient): Promise<boolean> {
  const fields = [
    'int4send(n)',
    `repeat('aé', n)::text COLLATE "C"`,
    `decode(repeat('7fe0', n), 'hex')`,
    nullField,
    `overlay(array_send(ARRAY[n]) PLACING decode('00000000', 'hex') FROM 9 FOR 4)`,
  ]
  try {
    const { rows } = await client.query<{ sum: string }>(
      `SELECT sum(${rowHash(fields)}) AS sum FROM generate_series(1, ${testRows}) n`,
    )
    return BigInt.asUintN(64, BigInt(rows[0]?.sum ?? 0)) === testSum()
  } catch (error) {
    const { code } = error as { code?: string }
    if (code?.startsWith('42') || code?.startsWith('0A')) return false
    throw error
  }
}

function testSum(): bigint {
  const hasher = new RowHasher([false, false, false, false, true])
  for (let n = 1; n <= testRows; n++) {
    const writer = new BinaryWriter()
    writer.int16(5)
    writer.int32(4)
    writer.int32(n)
    writer.text('aé'.repeat(n))
    writer.sized(() => writer.bytes(Buffer.from('7fe0'.repeat(n), 'hex')))
    writer.null()
    writer.sized(() => {
      for (const word of [1, 0, 23, 1, 1, 4, n]) writer.int32(word)
    })
    hasher.add(writer.buffer, 0, writer.at)
  }
  return hasher.digest.sum
}
