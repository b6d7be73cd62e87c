/** What a file has beside its tables. */
export interface FileObjects {
  /** Names of its views, triggers and indexes. */
  names: ReadonlySet<string>
  /** Columns of each index over plain columns, by table. */
  indexes: ReadonlyMap<string, { columns: string[]; isUnique: boolean }[]>
}
