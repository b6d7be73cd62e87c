import type { Encode, EncodedColumn, Value } from './encode.ts'
import type { EncodeStored } from './stored-cell.ts'

/** What a value of SQL is where the operators of both databases compare it. */
export type ValueKind = 'bool' | 'number' | 'float' | 'text' | 'moment' | 'json' | 'bytes' | 'other'

/** A type of Prisma's schema language and the types of Postgres that a field of it may have. */
export interface ValueType {
  /** Its name in PSL. */
  prisma: string
  /**
   * The column that Prisma makes of a field.
   * @param native the field's native type, such as `@db.Decimal(10, 2)`
   * @returns the type's name in pg_type and its modifier, -1 where it has none
   */
  column(native: string | null): [name: string, modifier: number]
  /** By their names in pg_type. */
  sql: Record<string, SqlType>
}

/** A type of Postgres as a field's. */
export interface SqlType {
  kind: ValueKind
  /** Undefined for a type that has no binary form here: its values are loaded as text, and cast by the server. */
  encoder?(column: EncodedColumn): Encode
  /** Writes values of the usual storage straight from a file's bytes. */
  storedEncoder?(column: EncodedColumn): EncodeStored | undefined
  /** The canonical stored value behind a field's bytes: what Prisma writes for it in SQLite. */
  decode?(field: Buffer): Value
  /** The type in which a value that the server cast is compared with what was stored: one that loses nothing. */
  wider: string
}

/** The numbers in a native type's parentheses. */
export function argumentsOf(native: string | null): number[] {
  return [...(native ?? '').matchAll(/\d+/g)].map(([digits]) => Number(digits))
}
