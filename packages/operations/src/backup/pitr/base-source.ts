import { setTimeout as sleep } from 'node:timers/promises'
import { withBaseBackup, withPostgres, type BaseBackup, type PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { BackupSource, SourcePart, SourceSummary } from '../model/source.ts'
import type { BackupRequest } from '../runs/run-backup.ts'
import { bytesOf } from '../seal/sealed-document.ts'
import { baseParts, walPart, type BaseDetails } from './base-details.ts'
import { walKey } from './wal-files.ts'

/** Its URL is the embedded server's, with the password: that is kept with the files, or nobody could open them. */
export interface BaseRequest extends BackupRequest {
  archive: string
}

/**
 * Runs `use` with the files of a running server as the source of a backup. It is complete once the WAL that belongs to
 * the copy is in the archive, too.
 * @throws Failure OUTGROW_TABLESPACES, OUTGROW_ARCHIVE_FAILING
 */
export async function withBaseSource<Result>(
  request: BaseRequest,
  use: (source: BackupSource) => Promise<Result>,
): Promise<Result> {
  const { url, signal } = request
  return withPostgres(url, async (client) => {
    const before = await readServer(client)
    const failedBefore = await countFailures(client)
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
          await waitForWal(client, request, details.lastSegment, failedBefore)
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
  failedBefore: number,
): Promise<void> {
  const key = walKey(archive, segment)
  for (;;) {
    for await (const found of storage.list(key, signal)) if (found.key === key) return
    await refuseFailing(client, failedBefore)
    onProgress('wait for WAL', 0, undefined)
    await sleep(200, undefined, { signal })
  }
}

/** The archiver tries a file three times in a row, then rests for a minute. */
const attempts = 3

/** @throws Failure OUTGROW_ARCHIVE_FAILING */
async function refuseFailing(client: PostgresClient, failedBefore: number): Promise<void> {
  if ((await countFailures(client)) < failedBefore + attempts) return
  const { rows } = await client.query<{ name: string }>(
    'SELECT last_failed_wal AS name FROM pg_stat_archiver',
  )
  throw new Failure({
    code: 'OUTGROW_ARCHIVE_FAILING',
    message: `The server cannot archive its WAL: ${rows[0]?.name} failed ${attempts} times.`,
    why: 'A base backup is of use only with the WAL that was written meanwhile.',
    fix: 'The reason is in server.log in the cluster’s folder. The server goes on, and tries again each minute; run the command again once it succeeds.',
  })
}

async function countFailures(client: PostgresClient): Promise<number> {
  const { rows } = await client.query<{ failed: number }>(
    'SELECT failed_count::int AS failed FROM pg_stat_archiver',
  )
  return rows[0]?.failed ?? 0
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
