import { pipelined } from '@outgrow/databases'
import { FindingCollector } from '../../model/collectors.ts'
import { readHashedTables } from '../../target/postgres/hashed-table.ts'
import { SelectedRows } from '../../target/postgres/selected-rows.ts'
import { HeldValues } from '../../target/sqlite/held-value.ts'
import { NewTable } from '../../target/sqlite/new-table.ts'
import type { Step } from '../step.ts'
import { makeFile } from './make-file.ts'
import { openPostgres } from './open-postgres.ts'
import { pairTables } from './pair-tables.ts'
import type { ReverseRequest } from './reverse-request.ts'

/** Puts every row into the file, one transaction a table; what the file cannot hold as it is, is named. */
export const copyRows: Step<void, ReverseRequest> = {
  name: 'copy',
  title: 'Copy the rows',
  run: async (run) => {
    const { client } = run.of(openPostgres)
    const { database } = run.of(makeFile)
    const { tables } = run.of(pairTables)
    const { progress, moments, signal } = run.request
    const sources = await readHashedTables(
      client,
      tables.map(({ planned }) => planned),
    )
    const counts = await pipelined(client, () =>
      sources.map(({ source }) => client.query<{ count: string }>(`SELECT count(*) FROM ${source}`)),
    )
    const totalRows = counts.reduce((sum, { rows: [row] }) => sum + Number(row?.count), 0)
    const findings = new FindingCollector()
    const held = new HeldValues()
    run.defer(() => held.close())
    let rows = 0
    for (const { planned, forms, read } of tables) {
      const into = new NewTable(database, read, { held, findings, moments })
      const onPiece = () => {
        signal.throwIfAborted()
        progress({ step: 'copy', rows: rows + into.rows, bytes: 0, totalRows })
      }
      database.exec('BEGIN')
      await new SelectedRows(client, forms).each(planned, (row) => into.add(row), onPiece)
      database.exec('COMMIT')
      rows += into.rows
    }
    return { value: undefined, findings: findings.findings, rows }
  },
}
