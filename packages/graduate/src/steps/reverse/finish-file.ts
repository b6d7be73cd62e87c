import type { PostgresClient } from '@outgrow/databases'
import { isLeftBehind, type Finding } from '../../model/finding.ts'
import type { PlannedTable } from '../../model/plan.ts'
import { countedColumns, sequencesOf } from '../../target/postgres/counters.ts'
import {
  advanceCounter,
  countsUp,
  danglingRows,
  fillSearchIndexes,
  makeIndex,
} from '../../target/sqlite/finish-tables.ts'
import type { Step } from '../step.ts'
import { makeFile } from './make-file.ts'
import { openPostgres } from './open-postgres.ts'
import { pairTables } from './pair-tables.ts'
import type { ReverseRequest } from './reverse-request.ts'

/** Makes indexes, sets counters, checks every reference, and closes the file. */
export const finishFile: Step<void, ReverseRequest> = {
  name: 'finish',
  title: 'Make indexes and check references',
  completesFindings: true,
  run: async (run) => {
    const { database, tables, takenOff } = run.of(makeFile)
    const { plan } = run.of(pairTables)
    const findings: Finding[] = []
    for (const index of takenOff.indexes) {
      run.request.signal.throwIfAborted()
      const finding = makeIndex(database, index)
      if (finding) findings.push(finding)
    }
    // Rows that were left out would be missed by those that reference them.
    if (run.findings.every(isLeftBehind)) findings.push(...danglingRows(database, tables))
    fillSearchIndexes(database, tables)
    for (const { table, column, last } of await counters(run.of(openPostgres).client, plan.tables)) {
      if (countsUp(database, table)) advanceCounter(database, table, last)
      else plan.notes.push(`The counter of ${table}.${column} stays behind: this table of the file has none.`)
    }
    for (const sql of takenOff.triggers) database.exec(sql)
    database.close()
    return { value: undefined, findings }
  },
}

/** How far Postgres has counted the ids of each table, those of deleted rows included. */
async function counters(
  client: PostgresClient,
  tables: PlannedTable[],
): Promise<{ table: string; column: string; last: bigint }[]> {
  const columns = countedColumns(tables, new Map())
  const sequences = await sequencesOf(client, { home: '', schemas: {}, replaces: false }, columns)
  const { rows } = await client.query<{ place: string; last: string }>(
    `SELECT place, last::text FROM (SELECT place, pg_sequence_last_value(id::regclass) AS last FROM unnest($1::oid[]) WITH ORDINALITY s(id, place)) x
      WHERE last > 0`,
    [sequences.map(({ oid }) => oid)],
  )
  return rows.map(({ place, last }) => {
    const { table, name } = (sequences[Number(place) - 1] as (typeof sequences)[number]).column
    const planned = tables.find(({ target }) => target === table) as PlannedTable
    return { table: planned.source.name, column: name, last: BigInt(last) }
  })
}
