import { parentPort, workerData } from 'node:worker_threads'
import { openSqliteReadonly } from '@outgrow/databases'
import { loadHash } from '../copy/digest.ts'
import { TableEncoder } from '../copy/table-encoder.ts'
import type { MoveOptions } from '../options.ts'
import type { PlannedTable } from '../plan.ts'
import { chunksOf } from '../run/load.ts'

const { path, tables, options } = workerData as { path: string; tables: PlannedTable[]; options: MoveOptions }
const database = openSqliteReadonly(path)
database.exec('BEGIN')
const hash = await loadHash()
for (const table of tables) {
  const encoder = new TableEncoder(database, table, options, hash)
  for (const range of chunksOf(database, table).ranges) {
    // The encoder hashes each row as it passes; the buffers themselves are not needed.
    for (const buffer of encoder.buffers(range)) encoder.giveBack(buffer)
  }
  parentPort?.postMessage({ table: table.source.name, digest: encoder.digest, rowsRead: encoder.rowsRead })
}
database.close()
