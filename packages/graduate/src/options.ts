/** What a move may be told. Table and column names are the database's names. */
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

/** Rules that `--fix` takes, with what each does. */
export const knownRules: Record<string, string> = {
  'boolean-words': 'takes t/f, true/false, yes/no, on/off for booleans',
  'datetime-seconds': 'takes whole numbers of the size of seconds for seconds since 1970',
  'datetime-julian': 'takes fractions for Julian days',
  'datetime-truncate': 'cuts digits of a second that the target cannot keep',
  'text-strip-nul': 'removes NUL bytes from text',
  'text-pad': 'lets char(n) fill shorter text with blanks',
  'uuid-respell': 'takes UUIDs in capitals or without hyphens, which read in small letters afterwards',
  'bytes-from-number': 'takes a number among binary data for the bytes of its decimal text',
  'json-last-key': 'keeps what jsonb keeps: the last of equal keys, and -0.0 without its sign',
  'orphans-null': 'clears an optional reference that points nowhere',
  'orphans-quarantine': 'sets aside rows whose reference points nowhere',
}
