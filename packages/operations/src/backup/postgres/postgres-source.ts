import { parsePostgresUrl } from '@outgrow/databases'
import { sameDigest } from '@outgrow/graduate'
import { redactUrl } from '@outgrow/kit'
import type { TableDigest } from '../model/manifest.ts'
import type { SourceLook, SourcePart, SourceSummary, WithBackupSource } from '../model/source.ts'
import { sizeOfLargeObjects, largeObjectRows } from './large-objects.ts'
import { readLeftOut, readNeeds } from './catalog/needs.ts'
import { readRelations } from './catalog/relations.ts'
import { readRowSets, type StoredRowSet } from './catalog/row-sets.ts'
import { readSequences } from './catalog/sequences.ts'
import { describeDatabase } from './catalog/structure.ts'
import type { PostgresDetails } from './details.ts'
import { framed } from './frames.ts'
import { dumpSchema } from './pg-dump/dump-schema.ts'
import { planParts } from './plan-parts.ts'
import { digesterOf, digestText, readRows } from './rows.ts'
import { refuseServer, serverVersion } from './server.ts'
import { withServerFailures } from './server-failure.ts'
import { withSessions } from './session.ts'
import { joinSnapshot, refuseUnreadable, takeSnapshot } from './snapshot.ts'

/** @throws Failure OUTGROW_TARGET_POOLED, OUTGROW_BACKUP_SERVER, OUTGROW_BACKUP_PRIVILEGES */
export async function lookAtPostgres(url: string): Promise<SourceLook> {
  const parsed = parsePostgresUrl(url)
  const { signal } = new AbortController()
  return withSessions(parsed, signal, async (sessions) => {
    const [client, second] = [await sessions.open(), await sessions.open()]
    await refuseServer([client, second], parsed)
    refuseUnreadable(await readRelations(client), client.user ?? '')
    const { rows } = await client.query<{ size: string }>('SELECT pg_database_size(current_database()) AS size')
    return { database: redactUrl(url), sizeBytes: Number(rows[0]?.size), notes: await readLeftOut(client) }
  })
}

/**
 * Runs `use` with one state of a Postgres database: its schema by pg_dump, its rows by COPY, all of one snapshot.
 * @throws Failure OUTGROW_TARGET_POOLED, OUTGROW_BACKUP_SERVER, OUTGROW_BACKUP_PRIVILEGES, OUTGROW_BACKUP_LOCKED, OUTGROW_PG_DUMP
 */
export const withPostgresSource: WithBackupSource = ({ url, signal, onProgress }, use) => {
  const parsed = parsePostgresUrl(url)
  return withServerFailures('backup', signal, () => withSessions(parsed, signal, async (sessions) => {
    const [reader, hasher] = [await sessions.open(), await sessions.open()]
    await refuseServer([reader, hasher], parsed)
    const digester = await digesterOf(hasher)
    const snapshot = await takeSnapshot(reader)
    await joinSnapshot(hasher, snapshot)
    onProgress('reading the schema', 0, undefined)
    const script = await dumpSchema(sessions, snapshot.id, signal)
    const version = await serverVersion(reader)
    const rowSets = await readRowSets(reader, snapshot.relations)
    const objectBytes = await sizeOfLargeObjects(reader)
    if (objectBytes !== undefined) rowSets.push({ ...largeObjectRows, sizeBytes: objectBytes })
    const parts = planParts(rowSets.map(({ sizeBytes }) => sizeBytes))
    const tables: TableDigest[] = []

    async function* bodyOf(places: number[]): AsyncIterable<Uint8Array> {
      for (const place of places) {
        const rows = rowSets[place] as StoredRowSet
        // The server hashes what it holds while it sends: both see the snapshot.
        const onServer = digester.isOnServer ? digester.digest(rows) : undefined
        onServer?.catch(() => {}) // thrown below, unless reading fails first
        const { pieces, digest } = readRows(reader, rows)
        yield* framed(pieces)
        const read = digest()
        const held = await onServer
        if (held !== undefined && !sameDigest(read, held)) throw new Error(`${rows.label} was read otherwise than its server holds it`)
        tables.push({ name: rows.label, rows: read.rows, digest: digestText(read) })
      }
    }

    return use({
      provider: 'postgres',
      method: 'dump',
      server: version.words,
      takenAt: snapshot.takenAt,
      async *parts(): AsyncIterable<SourcePart> {
        for (const { name, tables: places, sizeBytes } of parts)
          yield { name, expectedBytes: sizeBytes, body: bodyOf(places) }
      },
      async summary(): Promise<SourceSummary> {
        const details: PostgresDetails = {
          postDataAt: script.postDataAt,
          serverVersion: version.number,
          parts: parts.map(({ name, tables: places }) => ({ name, tables: places })),
          tables: rowSets.map(({ label, columns, condition, isPartitioned }) => ({
            label,
            condition,
            isPartitioned,
            columns: columns.map(({ name, asText }) => ({ name, asText })),
          })),
          sequences: await readSequences(reader, snapshot.relations),
          ...(await readNeeds(reader)),
          structure: await describeDatabase(reader),
        }
        return { tables, schema: script.text, notes: await readLeftOut(reader), damage: [], details: { ...details } }
      },
    })
  }))
}
