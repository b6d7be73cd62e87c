import type { BackupProvider, Manifest, TableDigest } from './manifest.ts'

/** A part as a source gives it: its bytes are read to their end before the next part is asked for. */
export interface SourcePart {
  /** Letters, digits, `.`, `_`, `-`; its object is `<id>/<name>`. */
  name: string
  /** About, before it is compressed; undefined while nobody knows. */
  expectedBytes: number | undefined
  body: AsyncIterable<Uint8Array>
}

/** One state of a database, as a backup is written from it. */
export interface BackupSource {
  readonly provider: BackupProvider
  readonly method: Manifest['method']
  /** `SQLite 3.54.1`, `PostgreSQL 18.4` */
  readonly server: string
  /** When the state was taken: nothing that was committed later is in it. */
  readonly takenAt: Date
  parts: () => AsyncIterable<SourcePart>
  /** Complete once all parts were read. */
  summary: () => SourceSummary | Promise<SourceSummary>
}

export type SourceSummary = Pick<Manifest, 'tables' | 'schema' | 'notes' | 'damage' | 'details'>

/** What is there to back up, found without reading all of it. */
export interface SourceLook {
  /** Without secrets. */
  database: string
  sizeBytes: number
  notes: string[]
}

/** Runs `use` with the source of a URL, and lets go of it whatever happens. */
export type WithBackupSource<Request extends SourceRequest = SourceRequest> = <Result>(
  request: Request,
  use: (source: BackupSource) => Promise<Result>,
) => Promise<Result>

export interface SourceRequest {
  /** `file:…`, or `postgresql://…` */
  url: string
  /** Folder for what lives as long as the run. */
  workDir: string
  signal: AbortSignal
  onProgress: BackupProgress
}

/** How far a long step is. `total` is undefined while nobody knows. */
export type BackupProgress = (step: string, doneBytes: number, totalBytes: number | undefined) => void

/** An empty database that a backup is restored into, in this order: refuse, restore, tables, problems, then publish or discard. */
export interface RestoreTarget {
  readonly provider: BackupProvider
  /** Without secrets. */
  readonly description: string
  /** What it is restored into: `SQLite 3.54.1` */
  readonly server: string
  /** @throws Failure OUTGROW_RESTORE_NOT_EMPTY; nothing was changed */
  refuseUnlessEmpty: () => Promise<void>
  /** Fills it, beside or inside of what will be published. */
  restore: (manifest: Manifest, openPart: OpenPart) => Promise<void>
  /** What it holds now, read from it. */
  tables: () => Promise<TableDigest[]>
  /** What is wrong with it though its digests are right, such as a damaged index; empty when nothing is. */
  problems: () => Promise<string[]>
  /** What of the backup did not arrive, though nothing is wrong with what did; complete once it is restored. */
  notes: () => string[]
  /** Puts in place what was compared. */
  publish: () => Promise<void>
  /** Leaves the target as it was found; also after a failure of any of the others. */
  discard: () => Promise<void>
}

/** The plain bytes of a part, checked against its digest when they end. */
export type OpenPart = (name: string) => AsyncIterable<Uint8Array>

/** Runs `use` with the target of a URL. */
export type WithRestoreTarget = <Result>(
  request: SourceRequest,
  use: (target: RestoreTarget) => Promise<Result>,
) => Promise<Result>
