import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync } from 'node:fs'
import {
  authorityDdl,
  createSqlite,
  movedTable,
  quoteIdentifier,
  writeAuthority,
  type Authority,
} from '@outgrow/databases'
import { sameOwner } from './same-owner.ts'

/**
 * Puts a small file in the place of one that was graduated: it says where the rows are, and under each old name whoever
 * asks it fails instead of beginning anew. Nobody may need what is in the old file any more.
 */
export function putTombstone(link: string, authority: Authority, tables: string[]): void {
  const path = realpathSync(link) // what a link leads to is replaced, and the link stays
  const part = `${path}.tombstone`
  rmSync(part, { force: true })
  const database = createSqlite(part)
  try {
    for (const sql of authorityDdl) database.exec(sql)
    writeAuthority(database, { ...authority, side: 'postgres', state: 'completed' })
    for (const table of tables)
      database.exec(`CREATE VIEW ${quoteIdentifier(table)} AS SELECT * FROM main.${movedTable}`)
  } finally {
    database.close()
  }
  sameOwner(part, path)
  const file = openSync(part, 'r')
  fsyncSync(file)
  closeSync(file)
  // A log of the old file must never be taken for one of the new.
  for (const trace of [`${path}-wal`, `${path}-shm`]) rmSync(trace, { force: true })
  renameSync(part, path)
}
