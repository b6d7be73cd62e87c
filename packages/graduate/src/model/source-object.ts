import type { SourceForeignKey } from '@outgrow/databases'

/** One column or expression of an index, as SQLite compares it. */
export interface IndexTerm {
  /** A column's name, or the SQL of an expression. */
  text: string
  isColumn: boolean
  /** In capitals. */
  collation: string
  descending: boolean
}

interface Named {
  /** The table that it belongs to; of a view its own name. */
  table: string
  /** By which it is skipped and reported: its own name, else `table.column`. */
  name: string
  columns: string[]
  /** As the file says it. */
  sql: string
}

/** Something that a file's schema demands or computes, beside its tables and columns. */
export type SourceObject = Named &
  (
    | { kind: 'unique' | 'index'; terms: IndexTerm[]; where: string | undefined }
    | { kind: 'check' | 'generated column' | 'default'; expression: string }
    | { kind: 'foreign key'; key: SourceForeignKey; isDeferred: boolean }
    | { kind: 'not null' }
    | { kind: 'view' }
    | { kind: 'trigger' }
  )
