import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
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
  mkdirSync(directory, { recursive: true })
  const { path } = parseSqliteSource(request.from)
  await withoutSidecarFiles(path, () => copyTo(file, path, request))
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

async function copyTo(
  file: string,
  path: string,
  { signal, progress: report }: { signal: AbortSignal; progress: Progress },
): Promise<void> {
  const source = openSqliteReadonly(path)
  // Written under another name first: a copy that was cut off is never taken for a whole one.
  const partial = `${file}.partial`
  rmSync(partial, { force: true })
  try {
    // Without a transaction of its own the backup begins anew at every write of another process.
    source.exec('BEGIN')
    readTables(source)
    await source.backup(partial, {
      progress: ({ totalPages, remainingPages }) => {
        signal.throwIfAborted()
        report({
          step: 'export',
          rows: totalPages - remainingPages,
          bytes: 0,
          totalRows: totalPages,
        })
        return 4096
      },
    })
  } catch (error) {
    rmSync(partial, { force: true })
    throw error
  } finally {
    source.close()
  }
  renameSync(partial, file)
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
