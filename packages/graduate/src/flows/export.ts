import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  copySqliteFile,
  makeFolder,
  openSqliteReadonly,
  parseSqliteSource,
  quoteIdentifier,
  readSourceTables,
  withoutSidecarFiles,
} from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { Progress } from '../model/progress.ts'
import { manifestVersion, writeManifest, type Manifest } from '../source/files/manifest.ts'
import { readTables } from '../source/sqlite/tables.ts'

/**
 * Copies a live SQLite file, its `-wal` included, into one consistent snapshot with a manifest.
 * @throws Failure OUTGROW_EXPORT_EXISTS
 */
export async function exportSnapshot(request: {
  from: string
  directory: string
  progress: Progress
  signal: AbortSignal
}): Promise<Manifest> {
  const directory = resolve(request.directory)
  const file = join(directory, 'snapshot.sqlite')
  if (existsSync(join(directory, 'manifest.json')) || existsSync(file)) {
    throw new Failure({
      code: 'OUTGROW_EXPORT_EXISTS',
      message: `${request.directory} already contains an export.`,
      fix: 'Choose another folder, or delete this one.',
    })
  }
  makeFolder(directory, 0o777)
  const { path } = parseSqliteSource(request.from)
  const { signal, progress } = request
  const onPages = (rows: number, totalRows: number) => progress({ step: 'export', rows, bytes: 0, totalRows })
  await withoutSidecarFiles(path, () =>
    copySqliteFile(path, file, { signal, onPages, onSnapshot: readTables }),
  )
  const manifest: Manifest = {
    version: manifestVersion,
    source: path,
    exportedAt: new Date().toISOString(),
    snapshot: { file: 'snapshot.sqlite', bytes: statSync(file).size },
    tables: countRows(file),
    transformed: null,
  }
  writeManifest(directory, manifest)
  return manifest
}

function countRows(file: string): Manifest['tables'] {
  const database = openSqliteReadonly(file)
  try {
    return readSourceTables(database)
      .filter(({ owner, virtual }) => owner === undefined && virtual?.problem === undefined)
      .map(({ name }) => ({
        table: name,
        rows: database
          .prepare(`SELECT count(*) FROM ${quoteIdentifier(name)}`)
          .pluck()
          .get() as number,
      }))
  } finally {
    database.close()
  }
}
