import { setTimeout as sleep } from 'node:timers/promises'
import { withBaseBackup, withPostgres, type BaseBackup, type PostgresClient } from '@outgrow/databases'
import type { BackupSource, SourcePart, SourceSummary } from '../model/source.ts'
import type { BackupRequest } from '../runs/run-backup.ts'
import { bytesOf } from '../seal/sealed-document.ts'
import { ArchiverWatch, readArchiver, refuseNoArchiver } from './archiver.ts'
import { baseParts, walPart, type BaseDetails } from './base-details.ts'
import { walKey } from './wal-files.ts'

/** Its URL is the embedded server's, with the password: that is kept with the files, or nobody could open them. */
export interface BaseRequest extends BackupRequest {
  archive: string
}

/**
 * Runs `use` with the files of a running server as the source of a backup. It is complete once the WAL that belongs to
 * the copy is in the archive, too.
 * @throws Failure OUTGROW_ARCHIVE_NOT_SET_UP, OUTGROW_TABLESPACES, OUTGROW_ARCHIVE_FAILING
 */
export async function withBaseSource<Result>(
  request: BaseRequest,
  use: (source: BackupSource) => Promise<Result>,
): Promise<Result> {
  const { url, signal } = request
  return withPostgres(url, async (client) => {
    refuseNoArchiver(await readArchiver(client))
    const before = await readServer(client)
    const { archive } = request
    return withBaseBackup(url, 'outgrow', signal, async (backup) => {
      let takenAt = before.now
      const firstSegment = await segmentOf(client, backup.startLsn)
      return use({
        provider: 'postgres',
        method: 'base',
        server: `PostgreSQL ${before.version}`,
        get takenAt() {
          return takenAt
        },
        parts: () => partsOf(backup, url, walPart({ archive, firstSegment })),
        summary: async () => {
          await backup.end()
          const { now } = await readServer(client)
          takenAt = now
          const details: BaseDetails = {
            archive,
            systemIdentifier: before.systemIdentifier,
            segmentBytes: before.segmentBytes,
            firstSegment,
            lastSegment: await closeSegment(client),
            consistentAt: now.toISOString(),
          }
          await waitForWal(client, request, details.lastSegment)
          return { tables: [], schema: '', notes: [], damage: [], details } satisfies SourceSummary
        },
      })
    })
  })
}

async function* partsOf(
  { tar, estimatedBytes }: BaseBackup,
  url: string,
  walPart: string,
): AsyncIterable<SourcePart> {
  // What the files grow by while they are copied is little; the blocks of the archive come on top.
  yield { name: baseParts.files, expectedBytes: Math.ceil(estimatedBytes * 1.2), body: tar }
  const password = decodeURIComponent(new URL(url).password)
  yield { name: baseParts.password, expectedBytes: password.length, body: bytesOf(password) }
  yield { name: walPart, expectedBytes: 0, body: bytesOf('') }
}

async function segmentOf(client: PostgresClient, lsn: string): Promise<string> {
  const { rows } = await client.query<{ name: string }>('SELECT pg_walfile_name($1::pg_lsn) AS name', [lsn])
  return rows[0]?.name ?? ''
}

/** Closes the segment that tells of now, so that it is archived however idle the server is. */
async function closeSegment(client: PostgresClient): Promise<string> {
  await client.query("SELECT pg_create_restore_point('outgrow base backup')")
  const { rows } = await client.query<{ name: string }>('SELECT pg_walfile_name(pg_switch_wal()) AS name')
  return rows[0]?.name ?? ''
}

/** Until the last segment of the copy is stored: a base backup without it could not be opened. */
async function waitForWal(
  client: PostgresClient,
  { archive, storage, signal, onProgress }: BaseRequest,
  segment: string,
): Promise<void> {
  const key = walKey(archive, segment)
  const watch = new ArchiverWatch(await readArchiver(client), performance.now())
  for (;;) {
    for await (const found of storage.list(key, signal)) if (found.key === key) return
    watch.refuseFailing(await readArchiver(client), performance.now())
    onProgress('wait for WAL', 0, undefined)
    await sleep(200, undefined, { signal })
  }
}

async function readServer(
  client: PostgresClient,
): Promise<{ version: string; systemIdentifier: string; segmentBytes: number; now: Date }> {
  const { rows } = await client.query(
    `SELECT current_setting('server_version') AS version, clock_timestamp() AS now,
       (SELECT system_identifier::text FROM pg_control_system()) AS "systemIdentifier",
       (SELECT setting::int FROM pg_settings WHERE name = 'wal_segment_size') AS "segmentBytes"`,
  )
  return rows[0] as Awaited<ReturnType<typeof readServer>>
}
