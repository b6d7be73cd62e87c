import { asidePrefix, type SourceTable, type SqliteDatabase } from '@outgrow/databases'
import type { FollowedTable } from '../../model/change.ts'
import type { MoveOptions } from '../../model/options.ts'
import type { FindRows, FoundRow } from '../../model/row.ts'
import { PostgresChanges } from '../../source/postgres/changes.ts'
import { RowEncoder } from '../../source/sqlite/encode-rows.ts'
import { rowidAlias } from '../../source/sqlite/live/unique-guards.ts'
import { ReturningTable } from '../../target/sqlite/returning-table.ts'
import { isCast } from '../../types/value-types.ts'
import type { LiveSession } from './session.ts'

/** What the way back takes beyond a session. */
export interface BackSession extends LiveSession {
  /** The tables by their names in the file while they are aside. */
  aside: FollowedTable[]
  /** Of the first connection, and of the second. */
  changes: [PostgresChanges, PostgresChanges]
  returning: ReadonlyMap<number, ReturningTable>
}

export async function backSession(session: LiveSession): Promise<BackSession> {
  const { file, target, second, ledger, tables, options } = session
  const aside = tables.map((table) => {
    const { planned } = table
    const source = { ...planned.source, name: `${asidePrefix}${planned.source.name}` }
    return { ...table, planned: { ...planned, source } }
  })
  const log = { schema: ledger.schema, record: ledger.table }
  return {
    ...session,
    aside,
    changes: [
      await PostgresChanges.open(target.client, log, tables),
      await PostgresChanges.open(second.client, log, tables),
    ],
    returning: new Map(
      aside.map((table) => [
        table.number,
        new ReturningTable(file.writer, table, {
          find: findRows(file.writer, table, options),
          ownRowid: ownRowid(file.writer, table.planned.source),
        }),
      ]),
    ),
  }
}

/** The name of the rowid, unless a column stands for it. */
function ownRowid(database: SqliteDatabase, table: SourceTable): string | undefined {
  return rowidAlias(database, table) === undefined ? table.rowid : undefined
}

function findRows(database: SqliteDatabase, { planned }: FollowedTable, options: MoveOptions): FindRows {
  const columns = planned.columns.map((column) => ({ ...column, presenceOnly: isCast(column) }))
  return (selection) => {
    const encoder = new RowEncoder(database, { ...planned, columns }, { ...options, onBadValue: 'stop' })
    const found: FoundRow[] = []
    encoder.watch = (row, context) => found.push({ row: Buffer.from(row), place: context.place() })
    for (const buffer of encoder.buffers(selection)) encoder.giveBack(buffer)
    return found
  }
}
