/** A column of the target. */
export interface TargetColumn {
  name: string
  /** Base type's name: `int4`, `timestamptz`, `numeric`, `citext`. */
  type: string
  typeOid: number
  /** The type as SQL writes it, with its modifier: `character varying(20)`. */
  sqlType: string
  modifier: number
  /** Element type of an array, else undefined. */
  element: { type: string; oid: number } | undefined
  enumValues: string[] | undefined
  notNull: boolean
  generated: boolean
  hasDefault: boolean
  /** Owned sequence behind the default, else undefined. */
  sequence: string | undefined
}

export interface TargetTable {
  schema: string
  name: string
  columns: TargetColumn[]
}

/** A key, index or check that is taken off before the load and put back after it. */
export interface Constraint {
  schema: string
  table: string
  name: string
  kind: 'primary' | 'unique' | 'index' | 'foreign' | 'check'
  /** SQL that makes the index behind it, for primary, unique and index. */
  indexSql: string | null
  /** What follows ADD CONSTRAINT name, for primary, unique, foreign and check. */
  definition: string | null
  columns: string[]
  /** Lets no two rows have the same columns. */
  unique: boolean
  /** Over all rows and plain columns: no WHERE, no expression. */
  plain: boolean
  /** What is compared, a column or an expression each, and for which rows; null of anything but a unique index. */
  keys: string[] | null
  predicate: string | null
  nullsNotDistinct: boolean
  /** Of a foreign key. */
  parent: { schema: string; table: string; columns: string[] } | null
}
