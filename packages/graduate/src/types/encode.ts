import type { TargetColumn } from '../model/table.ts'
import type { RuleContext } from '../rules/rule.ts'
import type { BinaryWriter } from './binary-writer.ts'

/** What better-sqlite3 returns for a cell: integers beyond 2^53 come as bigint once they have been read again. */
export type Cell = null | number | bigint | string | Buffer
export type Value = Exclude<Cell, null>

/** Why a stored value cannot become the target's value. */
export interface Refused {
  /** One sentence, the same for every row with this problem. */
  reason: string
  /** Rules (`--fix`) that would resolve it, or a change of the schema in words. */
  fixes: string[]
}

export function refused(reason: string, ...fixes: string[]): Refused {
  return { reason, fixes }
}

/** The cell being encoded, and the means to read it again exactly. */
export interface EncodeContext extends RuleContext {
  /** The cell with exact integers and, for text, its bytes. */
  readExactly(): { storage: Storage; value: Cell; bytes: Buffer | null }
  /** The JSON text of a blob in SQLite's JSONB form, null when it is malformed. */
  readJsonb(): string | null
}

export type Storage = 'null' | 'integer' | 'real' | 'text' | 'blob'

/**
 * Writes a value that is not NULL (length and bytes), or says why it cannot.
 * After a `Refused` the writer's position is undefined; the caller rewinds the row.
 */
export type Encode = (value: Value, writer: BinaryWriter, context: EncodeContext) => Refused | undefined

/** What an encoder is chosen by. */
export interface EncodedColumn {
  target: TargetColumn
  /** Whether every integer of the column is of the size of seconds. Asked only when a value is of that size. */
  looksLikeSeconds(): boolean
}
