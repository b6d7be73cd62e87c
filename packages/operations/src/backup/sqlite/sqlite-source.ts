import { createReadStream, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  copySqliteFile,
  openSqliteForLock,
  openSqliteReadonly,
  parseSqliteSource,
  readAuthority,
  sqliteVersion,
  withoutSidecarFiles,
  type SqliteDatabase,
} from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { BackupSource, SourceLook, SourcePart, SourceRequest } from '../model/source.ts'
import { refuseFullDisk, workDirFailure } from './disk-full.ts'
import { notesOfGraduation } from './graduated.ts'
import { Reading } from './reading.ts'
import { withScratchFolder } from './scratch.ts'

export const databasePart = 'database.sqlite'

/** What a backup of a file would be, and whether it would be refused. */
export async function lookAtSqlite(url: string): Promise<SourceLook> {
  const { path } = parseSqliteSource(url)
  return withoutSidecarFiles(path, async () => {
    const database = openSqliteReadonly(path)
    try {
      refuseEmpty(database)
      const notes = notesOfGraduation(path, readAuthority(database))
      const pages = database.pragma('page_count', { simple: true }) as number
      const pageBytes = database.pragma('page_size', { simple: true }) as number
      return { database: path, sizeBytes: pages * pageBytes, notes }
    } finally {
      database.close()
    }
  })
}

/**
 * Runs `use` with one state of a live SQLite file: a copy in the work folder, which is read and stored.
 * @throws Failure OUTGROW_SOURCE_NOT_FOUND, OUTGROW_SOURCE_NOT_SQLITE, OUTGROW_SOURCE_BUSY, OUTGROW_SOURCE_UNREADABLE,
 *   OUTGROW_SOURCE_EMPTY, OUTGROW_SOURCE_GRADUATED, OUTGROW_DISK_FULL
 */
export function withSqliteSource<Result>(
  { url, workDir, signal, onProgress }: SourceRequest,
  use: (source: BackupSource) => Promise<Result>,
): Promise<Result> {
  const { path } = parseSqliteSource(url)
  return withScratchFolder(workDir, async (folder) => {
    const copy = join(folder, databasePart)
    const notes: string[] = []
    let takenAt = new Date()
    const onSnapshot = (snapshot: SqliteDatabase) => {
      takenAt = new Date()
      refuseEmpty(snapshot)
      notes.push(...notesOfGraduation(path, readAuthority(snapshot)))
    }
    const onPages = (copied: number, total: number) => onProgress('copy', copied * 4096, total * 4096)
    await withoutSidecarFiles(path, async () => {
      refuseFullDisk(path, folder)
      await copySqliteFile(path, copy, { signal, onPages, onSnapshot }).catch((error: unknown) => {
        throw workDirFailure(folder, error)
      })
    })
    const sizeBytes = statSync(copy).size
    using reading = new Reading(copy, signal)
    return await use({
      provider: 'sqlite',
      method: 'file',
      server: sqliteVersion(),
      takenAt,
      parts: async function* (): AsyncIterable<SourcePart> {
        yield {
          name: databasePart,
          expectedBytes: sizeBytes,
          body: createReadStream(copy, { highWaterMark: 1 << 20 }),
        }
      },
      summary: async () => {
        reading.onBytes = (done) => onProgress('read', done, sizeBytes)
        const { tables, damage, notes: more } = await reading.contents
        return { tables, schema: schemaOf(copy), damage, notes: [...notes, ...more], details: {} }
      },
    })
  })
}

/** @throws Failure OUTGROW_SOURCE_EMPTY */
function refuseEmpty(database: SqliteDatabase): void {
  if (database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined) return
  throw new Failure({
    code: 'OUTGROW_SOURCE_EMPTY',
    message: `${database.name} contains no tables.`,
    why: 'SQLite treats an empty file as an empty database, and creates one if the path is mistyped.',
    fix: 'Check --database: it must be the file that the application writes to.',
  })
}

/** Its statements, as they were written. */
function schemaOf(copy: string): string {
  const database = openSqliteForLock(copy)
  try {
    const statements = database
      .prepare('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid')
      .pluck()
      .all() as string[]
    return statements.map((sql) => `${sql};\n`).join('')
  } finally {
    database.close()
  }
}
