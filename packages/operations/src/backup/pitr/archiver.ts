import type { PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'

/** What a server tells of its archiver. */
export interface Archiver {
  mode: string
  command: string
  /** Files of WAL since its statistics began. */
  archived: number
  failed: number
  lastFailed: string | null
}

export async function readArchiver(client: PostgresClient): Promise<Archiver> {
  const { rows } = await client.query<Archiver>(
    `SELECT current_setting('archive_mode') AS mode, current_setting('archive_command') AS command,
       archived_count::int AS archived, failed_count::int AS failed, last_failed_wal AS "lastFailed" FROM pg_stat_archiver`,
  )
  return rows[0] as Archiver
}

/** @throws Failure OUTGROW_ARCHIVE_NOT_SET_UP, when the server would never archive what a base backup needs */
export function refuseNoArchiver({ mode, command }: Pick<Archiver, 'mode' | 'command'>): void {
  if (mode !== 'off' && command.includes('archive-wal')) return
  const found = mode === 'off' ? 'archive_mode is off' : 'archive_command is not Outgrow’s'
  throw new Failure({
    code: 'OUTGROW_ARCHIVE_NOT_SET_UP',
    message: `The server does not archive its WAL: ${found}.`,
    why: 'A base backup is of use only with the WAL that follows it.',
    fix: 'Run outgrow backup init again.',
  })
}

/** The archiver tries a file three times in a row, then rests for a minute. */
const attempts = 3
/** Milliseconds in which nothing was archived, after which the command hangs. */
const hangsMs = 5 * 60_000

/** Watches an archiver while somebody waits for it. */
export class ArchiverWatch {
  readonly #failedBefore: number
  #archived: number
  #movedMs: number

  constructor({ archived, failed }: Archiver, nowMs: number) {
    this.#failedBefore = failed
    this.#archived = archived
    this.#movedMs = nowMs
  }

  /** @throws Failure OUTGROW_ARCHIVE_FAILING */
  refuseFailing({ archived, failed, lastFailed }: Archiver, nowMs: number): void {
    if (archived !== this.#archived) this.#movedMs = nowMs
    this.#archived = archived
    if (failed >= this.#failedBefore + attempts) throw failing(`${lastFailed} failed ${attempts} times`)
    if (nowMs - this.#movedMs >= hangsMs)
      throw failing(`nothing was archived for ${hangsMs / 60_000} minutes, so archive_command seems to hang`)
  }
}

function failing(how: string): Failure {
  return new Failure({
    code: 'OUTGROW_ARCHIVE_FAILING',
    message: `The server cannot archive its WAL: ${how}.`,
    why: 'A base backup is of use only with the WAL that was written meanwhile.',
    fix: 'The reason is in server.log in the cluster’s folder. The server goes on, and tries again each minute; run the command again once it succeeds.',
  })
}
