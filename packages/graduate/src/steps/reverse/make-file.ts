import { readSourceTables, type SourceTable, type SqliteDatabase } from '@outgrow/databases'
import { buildFile } from '@outgrow/schema'
import type { FileObjects } from '../../model/file-objects.ts'
import { fileObjects } from '../../target/sqlite/file-objects.ts'
import {
  createPart,
  emptyTables,
  openPart,
  removeAbandoned,
  removePart,
  type TakenOff,
} from '../../target/sqlite/new-file.ts'
import { prepare } from '../prepare.ts'
import { refusePendingFile } from '../refuse-pending.ts'
import type { Step } from '../step.ts'
import type { ReverseRequest } from './reverse-request.ts'

export interface MadeFile {
  database: SqliteDatabase
  tables: SourceTable[]
  /** What it has beside tables, in the end. */
  objects: FileObjects
  takenOff: TakenOff
}

/**
 * Makes the tables of a new file beside its place: by the project's SQLite migrations, else as Prisma would.
 * @throws Failure OUTGROW_MIGRATION_PENDING, OUTGROW_MIGRATION_FAILED
 */
export const makeFile: Step<MadeFile, ReverseRequest> = {
  name: 'make',
  title: 'Make the tables of the file',
  run: async (run) => {
    const prepared = run.of(prepare)
    const { path, part } = run.request
    refusePendingFile(prepared)
    removeAbandoned(path)
    createPart(part)
    run.defer(() => removePart(part))
    const database = openPart(part)
    run.defer(() => {
      database.close()
    })
    const { ddl, migrations } = prepared.sqlite
    if (migrations.length > 0) buildFile(database, migrations)
    else database.exec(ddl)
    database.pragma('foreign_keys = OFF')
    const tables = readSourceTables(database)
    const objects = fileObjects(database)
    const takenOff = emptyTables(
      database,
      tables.filter(({ owner }) => owner === undefined).map(({ name }) => name),
    )
    return { value: { database, tables, objects, takenOff } }
  },
}
