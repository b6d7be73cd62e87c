import type { DescribedItem } from '@outgrow/databases'
import { quoteIdentifier } from '@outgrow/databases/quote'
import type { Finding } from './finding.ts'
import type { StoredOptions } from './options.ts'
import type { FixReport, TableReport } from './report.ts'
import type { Constraint } from './table.ts'

/** The schemas in which one run builds, and what it must know to go on after a stop. */
export interface Staging {
  run: string
  /** The user's default schema. */
  home: string
  /** Schema of the target to schema in which its tables are built. */
  schemas: Record<string, string>
  /** True when the target had empty tables of its own migrations, which the built ones replace. */
  replaces: boolean
  constraints: Constraint[]
  /** What was added for the file's sake, and what could not be. */
  carried: Carried
  /** What the target is to hold when the run is published. */
  promised: DescribedItem[]
  /** Columns as `schema.table.column` whose type `--cast` decides. */
  castColumns: string[]
  /** Statements that switch on again what was off for the load, in the run's names. */
  enable: string[]
  /** What the project's migrations made beside the tables and a dropped run takes along: extensions, publications. */
  created: string[]
  record: RunRecord
  /** What came of it, once it is published. */
  result?: { tables: TableReport[]; findings: Finding[]; fixes: FixReport[] }
}

export const recordVersion = 3

/** What the run was asked for and what it read, kept in the target until the end and after it, for `verify`. */
export interface RunRecord extends StoredOptions {
  /** Of what the ledger holds. A run of another version can be undone, and neither resumed nor compared. */
  version: typeof recordVersion
  source: string
  /** The position of the snapshot. */
  fingerprint: string
  startedAt: string
  /** Checksum of the schema the run was planned with. */
  schema: string
}

/** What became of the objects of a file that the target's own DDL does not have. */
export interface Carried {
  /** Statements that were run, in the target's names. */
  statements: string[]
  /** Views, which are made when everything else stands. */
  views: string[]
  /** What the target does not have, each with its SQL. */
  left: Finding[]
  notes: string[]
}

/** The name of the schema in which `schema` is built. */
export function stagedName(run: string, home: string, schema: string | undefined): string {
  return schema === undefined || schema === home ? `_outgrow_${run}` : `_outgrow_${run}_${schema}`
}

/** The schemas in which a run builds, to the names that they go by. */
export function namesOfStaged({ schemas }: Pick<Staging, 'schemas'>): Record<string, string> {
  return Object.fromEntries(Object.entries(schemas).map(([schema, staged]) => [staged, schema]))
}

/** SQL that was run in the run's schemas, as it would be written for the target's own. */
export function finalSql(sql: string, staging: Pick<Staging, 'home' | 'schemas'>): string {
  let result = sql
  for (const [staged, name] of Object.entries(namesOfStaged(staging))) {
    result = result.replaceAll(
      `${quoteIdentifier(staged)}.`,
      name === staging.home ? '' : `${quoteIdentifier(name)}.`,
    )
  }
  return result
}
