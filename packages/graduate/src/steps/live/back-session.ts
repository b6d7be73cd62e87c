import { asidePrefix } from '@outgrow/databases'
import type { FollowedTable } from '../../model/change.ts'
import { PostgresChanges } from '../../source/postgres/changes.ts'
import { ReturningTable } from '../../target/sqlite/returning-table.ts'
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
    returning: new Map(aside.map((table) => [table.number, new ReturningTable(file.writer, table, options)])),
  }
}
