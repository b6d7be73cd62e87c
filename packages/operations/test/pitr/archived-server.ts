import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  embeddedFolder,
  startEmbeddedPostgres,
  stopEmbeddedPostgres,
  withPostgres,
  type EmbeddedPostgres,
} from '@outgrow/databases'
import { until } from '@outgrow/testing'
import { initEmbedded } from '../../src/backup/pitr/init-embedded.ts'
import { recover, type Recovered } from '../../src/backup/pitr/recover.ts'
import { runDrill } from '../../src/backup/runs/run-drill.ts'
import type { Drill } from '../../src/backup/model/drill.ts'
import { readBackupKey } from '../../src/backup/seal/backup-key.ts'
import { openStorage } from '../../src/backup/storage/open-storage.ts'

/** Whether the account that runs PostgreSQL for root can read this repository, and so the programs that archive. */
export const canArchive =
  process.getuid?.() !== 0 ||
  foldersAbove(import.meta.dirname).every((path) => (statSync(path).mode & 1) !== 0)

const quiet = { signal: new AbortController().signal, onProgress: () => {} }

/** An embedded server in a folder of its own, which archives to another beside it. */
export class ArchivedServer {
  readonly folder: string
  readonly store: string
  readonly workDir: string
  readonly #workDirs: string[] = []
  server!: EmbeddedPostgres

  private constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'outgrow-pitr-'))
    chmodSync(this.folder, 0o755)
    this.store = join(this.folder, 'store')
    this.workDir = this.newWorkDir('work')
  }

  static async start(): Promise<ArchivedServer> {
    const archived = new ArchivedServer()
    await archived.startServer()
    return archived
  }

  async startServer(): Promise<void> {
    this.server = await startEmbeddedPostgres({ directory: join(this.workDir, 'postgres') })
  }

  async init(): Promise<void> {
    await initEmbedded({
      ...quiet,
      workDir: this.workDir,
      location: this.store,
      isEncrypted: true,
      dryRun: false,
    })
  }

  newWorkDir(name: string): string {
    const path = join(this.folder, name)
    this.#workDirs.push(path)
    return path
  }

  /** Whether there is anything left of a server in that work folder. */
  hasServer(workDir: string): boolean {
    return existsSync(embeddedFolder(join(workDir, 'postgres')).directory)
  }

  async query(sql: string, url = this.server.url): Promise<Record<string, unknown>[]> {
    return withPostgres(url, async (client) => (await client.query<Record<string, unknown>>(sql)).rows)
  }

  /** A moment after all that was committed, as a user would give it: no finer than a millisecond. */
  async momentAfter(): Promise<Date> {
    const [row] = await this.query("SELECT date_trunc('ms', clock_timestamp()) + interval '1 ms' AS at")
    await this.query('SELECT pg_sleep(0.01)')
    return row?.at as Date
  }

  /** Has all that was written until now archived. */
  async archiveAll(): Promise<string> {
    const [row] = await this.query('SELECT pg_walfile_name(pg_switch_wal()) AS name')
    const name = String(row?.name)
    await until(() => this.segments().includes(name))
    return name
  }

  segments(store = this.store): string[] {
    const wal = join(store, 'wal')
    const [archive] = existsSync(wal) ? readdirSync(wal) : []
    return archive === undefined
      ? []
      : readdirSync(join(wal, archive)).filter((name) => /^[0-9A-F]{24}$/.test(name))
  }

  /** A copy of the storage, to be damaged. */
  copyOfStore(name: string): string {
    const copy = join(this.folder, name)
    cpSync(this.store, copy, { recursive: true, preserveTimestamps: true })
    return copy
  }

  pathOf(store: string, segment: string): string {
    const [archive = ''] = readdirSync(join(store, 'wal'))
    return join(store, 'wal', archive, segment)
  }

  flipBit(file: string, at: number): void {
    const bytes = readFileSync(file)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    writeFileSync(file, bytes)
  }

  async recover(
    store: string,
    workDir: string,
    at: Date | undefined,
    onProgress: () => void = quiet.onProgress,
  ): Promise<Recovered> {
    const storage = await openStorage(store)
    return recover({
      signal: quiet.signal,
      onProgress,
      storage,
      protection: readBackupKey(),
      id: undefined,
      at,
      workDir,
      isDurable: false,
    })
  }

  async drill(): Promise<Drill> {
    const storage = await openStorage(this.store)
    const request = { ...quiet, storage, protection: readBackupKey(), id: undefined, server: undefined }
    return runDrill({ ...request, workDir: join(this.folder, 'drills') })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const workDir of this.#workDirs) {
      const directory = join(workDir, 'postgres')
      await stopEmbeddedPostgres(directory, 'immediate')
      rmSync(embeddedFolder(directory).directory, { recursive: true, force: true })
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function foldersAbove(path: string): string[] {
  return path === dirname(path) ? [path] : [path, ...foldersAbove(dirname(path))]
}
