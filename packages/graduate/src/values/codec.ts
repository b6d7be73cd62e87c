import type { BinaryWriter } from '../copy/binary-writer.ts'
import type { TargetColumn } from '../target/catalog.ts'

/** What better-sqlite3 returns for a cell: integers beyond 2^53 come as bigint once they have been read again. */
export type Cell = null | number | bigint | string | Buffer

/** Why a stored value cannot become the target's value. */
export interface Bad {
  /** One sentence, the same for every row with this problem. */
  reason: string
  /** Rules (`--fix`) that would settle it, or a change of the schema in words. */
  fixes: string[]
}

export interface Cast {
  /** The rules the user asked for with `--fix`. */
  rules: ReadonlySet<string>
  /** A cell read again with exact integers and, for text, its bytes. */
  readExactly(): { storage: Storage; value: Cell; bytes: Buffer | null }
  /** The JSON text of a blob in SQLite's JSONB form, null when it is malformed. */
  readJsonb(): string | null
  /** Counts a value that was changed by a rule or noted. */
  fixed(rule: string): void
}

export type Storage = 'null' | 'integer' | 'real' | 'text' | 'blob'

/**
 * Writes a value that is not NULL (length and bytes), or says why it cannot.
 * After a `Bad` the writer's position is undefined; the caller rewinds the row.
 */
export type Encode = (cell: Exclude<Cell, null>, writer: BinaryWriter, cast: Cast) => Bad | undefined

export interface ColumnType {
  target: TargetColumn
  /** Whether every integer of the column is of the size of seconds. Asked only when a value is of that size. */
  looksLikeSeconds(): boolean
}

export function bad(reason: string, ...fixes: string[]): Bad {
  return { reason, fixes }
}
