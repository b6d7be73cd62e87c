/** What a move is asked to do. Table and column names are the database's names. */
export interface MoveOptions {
  /** `--fix`, see docs/values.md */
  rules: ReadonlySet<string>
  onBadValue: 'stop' | 'quarantine'
  skipTables: ReadonlySet<string>
  /** `table.column` */
  skipColumns: ReadonlySet<string>
  /** Views, triggers, indexes and the like that are left behind, by the name that a finding gives. */
  skipObjects: ReadonlySet<string>
  /** `table.column` to a Postgres type */
  casts: ReadonlyMap<string, string>
}

/** `MoveOptions` as JSON keeps them. */
export interface StoredOptions {
  rules: string[]
  onBadValue: 'stop' | 'quarantine'
  skipTables: string[]
  skipColumns: string[]
  skipObjects: string[]
  casts: [string, string][]
}

export function storeOptions(options: MoveOptions): StoredOptions {
  return {
    rules: [...options.rules].toSorted(),
    onBadValue: options.onBadValue,
    skipTables: [...options.skipTables].toSorted(),
    skipColumns: [...options.skipColumns].toSorted(),
    skipObjects: [...options.skipObjects].toSorted(),
    casts: [...options.casts],
  }
}

export function restoreOptions(options: StoredOptions): MoveOptions {
  return {
    rules: new Set(options.rules),
    onBadValue: options.onBadValue,
    skipTables: new Set(options.skipTables),
    skipColumns: new Set(options.skipColumns),
    skipObjects: new Set(options.skipObjects),
    casts: new Map(options.casts),
  }
}

/** No rule, nothing skipped: every value as it is, or not at all. */
export const strictOptions: MoveOptions = {
  rules: new Set(),
  onBadValue: 'stop',
  skipTables: new Set(),
  skipColumns: new Set(),
  skipObjects: new Set(),
  casts: new Map(),
}
