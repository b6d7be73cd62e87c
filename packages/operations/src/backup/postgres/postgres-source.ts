import { parsePostgresUrl, type PostgresClient } from '@outgrow/databases'
import { sameDigest } from '@outgrow/graduate'
import type { TableDigest } from '../model/manifest.ts'
import type { BackupSource, SourcePart, SourceSummary, WithBackupSource } from '../model/source.ts'
import { readLeftOut } from './catalog/needs.ts'
import { refuseUnwritable } from './catalog/refuse-unwritable.ts'
import { readRowSets, type StoredRowSet } from './catalog/row-sets.ts'
import { readSequences } from './catalog/sequences.ts'
import type { PostgresDetails } from './details.ts'
import { framed } from './frames.ts'
import { largeObjectRows, sizeOfLargeObjects } from './large-objects.ts'
import { dumpSchema } from './pg-dump/dump-schema.ts'
import { planParts, type PlannedPart } from './plan-parts.ts'
import { digesterOf, digestText, readRows, type Digester } from './rows.ts'
import { readSchema, type Schema } from './read-schema.ts'
import { refuseSourceVersion, serverVersion } from './server.ts'
import { withServerFailures } from './server-failure.ts'
import { withSessions, type Sessions } from './session.ts'
import { joinSnapshot, takeSnapshot, type Snapshot } from './snapshot.ts'

/**
 * Runs `use` with one state of a Postgres database: its schema by pg_dump, its rows by COPY, all of one snapshot.
 * @throws Failure OUTGROW_TARGET_POOLED, OUTGROW_BACKUP_SERVER, OUTGROW_BACKUP_PRIVILEGES, OUTGROW_BACKUP_LOCKED, OUTGROW_PG_DUMP
 */
export const withPostgresSource: WithBackupSource = ({ url, signal, onProgress }, use) => {
  const parsed = parsePostgresUrl(url)
  const work = withSessions(parsed, signal, async (sessions) => {
    onProgress('reading the schema', 0, undefined)
    return use(new PostgresSource(await openState(sessions, signal)))
  })
  return withServerFailures('backup', signal, work)
}

/** What one snapshot shows, before any row is read. */
interface State {
  /** Rows come over this one. */
  reader: PostgresClient
  /** The server hashes on another meanwhile. */
  digester: Digester
  snapshot: Snapshot
  version: { words: string; number: number }
  schema: Schema
  rowSets: StoredRowSet[]
  parts: PlannedPart[]
}

async function openState(sessions: Sessions, signal: AbortSignal): Promise<State> {
  const [reader, hasher] = [await sessions.open(), await sessions.open()]
  await refuseSourceVersion(reader)
  const digester = await digesterOf(hasher)
  const snapshot = await takeSnapshot(reader)
  await joinSnapshot(hasher, snapshot)
  await refuseUnwritable(reader)
  const schema = await readSchema(reader, () => dumpSchema(sessions, snapshot.id, signal))
  const rowSets = await readRowSets(reader, snapshot.relations)
  const objectBytes = await sizeOfLargeObjects(reader)
  // First, because whether they may be read shows only then.
  if (objectBytes !== undefined) rowSets.unshift({ ...largeObjectRows, sizeBytes: objectBytes })
  const parts = planParts(rowSets.map(({ sizeBytes }) => sizeBytes))
  return { reader, digester, snapshot, version: await serverVersion(reader), schema, rowSets, parts }
}

class PostgresSource implements BackupSource {
  readonly provider = 'postgres'
  readonly method = 'dump'
  readonly #state: State
  readonly #tables: TableDigest[] = []

  constructor(state: State) {
    this.#state = state
  }

  get server(): string {
    return this.#state.version.words
  }

  get takenAt(): Date {
    return this.#state.snapshot.takenAt
  }

  async *parts(): AsyncIterable<SourcePart> {
    for (const { name, tables, sizeBytes } of this.#state.parts)
      yield { name, expectedBytes: sizeBytes, body: this.#rowsOf(tables) }
  }

  async *#rowsOf(tables: number[]): AsyncIterable<Uint8Array> {
    const { reader, digester, rowSets } = this.#state
    for (const table of tables) {
      const rows = rowSets[table] as StoredRowSet
      const onServer = digester.isOnServer ? digester.digest(rows) : undefined
      onServer?.catch(() => {}) // thrown below, unless reading fails first
      const { pieces, digest } = readRows(reader, rows)
      yield* framed(pieces)
      const read = digest()
      const held = await onServer
      if (held !== undefined && !sameDigest(read, held))
        throw new Error(`${rows.label} was read otherwise than its server holds it`)
      this.#tables.push({ name: rows.label, rows: read.rows, digest: digestText(read) })
    }
  }

  async summary(): Promise<SourceSummary> {
    const { reader, snapshot, version, schema, rowSets, parts } = this.#state
    const details: PostgresDetails = {
      postDataAt: schema.script.postDataAt,
      serverVersion: version.number,
      parts: parts.map(({ name, tables }) => ({ name, tables })),
      tables: rowSets.map(({ label, columns, condition, isPartitioned }) => ({
        label,
        condition,
        isPartitioned,
        columns: columns.map(({ name, asText }) => ({ name, asText })),
      })),
      sequences: await readSequences(reader, snapshot.relations),
      ...schema.needs,
      structure: schema.structure,
    }
    const notes = await readLeftOut(reader)
    return { tables: this.#tables, schema: schema.script.text, notes, damage: [], details: { ...details } }
  }
}
