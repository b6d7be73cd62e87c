import { hostname } from 'node:os'
import {
  isSameTarget,
  parsePostgresUrl,
  parseSqliteSource,
  removeSqliteFile,
  runStatements,
  targetIdentity,
  type Authority,
  type PostgresClient,
  type PostgresUrl,
} from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { dieAt } from '../../die-at.ts'
import { GraduationLedger, graduationRun } from '../../ledger/graduation.ts'
import { lockTarget } from '../../ledger/run-lock.ts'
import { dropRun, findRuns } from '../../ledger/runs.ts'
import type { Staging } from '../../model/staging.ts'
import { uncapture } from '../../source/sqlite/live/capture.ts'
import { LiveFile } from '../../source/sqlite/live/live-file.ts'
import { copyPath } from '../../steps/live/capture-changes.ts'
import { connectForRun } from '../../target/postgres/connect.ts'
import { dropTriggersSql } from '../../target/postgres/live/end-capture-back.ts'
import { giveBackEmpty } from '../../target/postgres/live/placing.ts'
import { setSearchPath } from '../../target/postgres/stage.ts'
import { completed } from './open-session.ts'
import { repaired } from './repair.ts'

/**
 * Takes a graduation back before its switch: the target is as it was, and so is the schema of the file. One that only the
 * target knows, since the file was replaced by another, is taken back there.
 * @returns its name; undefined where none is under way
 * @throws Failure OUTGROW_GRADUATION_SWITCHED, OUTGROW_NO_GRADUATION where this is not its target, OUTGROW_RUN_ACTIVE
 */
export async function cancelGraduation({
  from,
  to,
  folder,
  isTargetGone = false,
  signal,
}: {
  from: string
  to: string
  folder: string
  /** Only the file is set right. */
  isTargetGone?: boolean
  signal: AbortSignal
}): Promise<string | undefined> {
  const { path } = parseSqliteSource(from)
  using file = new LiveFile(path)
  const { authority } = file
  if (authority?.state === 'completed') throw completed()
  if (authority?.side === 'postgres') throw switched()
  const graduation = isTargetGone
    ? authority?.graduation
    : await cancelInTarget(parsePostgresUrl(to), authority, path, signal)
  if (graduation === undefined) return undefined
  if (authority) await file.write(uncapture, signal)
  const copy = copyPath({ folder, graduation })
  for (const name of [copy, `${copy}.copied`, `${copy}.copied.partial`]) removeSqliteFile(name)
  return graduation
}

/** The target first: a graduation that the file still knows can be cancelled again. */
async function cancelInTarget(
  target: PostgresUrl,
  authority: Authority | undefined,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const client = await connectForRun(target, signal)
  try {
    await lockTarget(client)
    const staging = authority
      ? await graduationRun(client, authority.graduation)
      : await forgotten(client, path)
    if (staging) {
      await runStatements(client, [setSearchPath(Object.values(staging.schemas), staging.home)])
      const ledger = new GraduationLedger(client, staging)
      // A switch that the file never made has left its tables in place.
      if (authority && (await ledger.exists()))
        await repaired(client, await ledger.read(), authority, staging, ledger)
      await takeBack(client, staging, ledger)
    } else if (authority) {
      const here = await targetIdentity(client, target.schema)
      if (!isSameTarget(authority.target, here)) throw elsewhere(authority)
    }
    dieAt('target-dropped')
    return authority?.graduation ?? staging?.run
  } finally {
    await client.end()
  }
}

async function takeBack(client: PostgresClient, staging: Staging, ledger: GraduationLedger): Promise<void> {
  await client.query('BEGIN')
  try {
    const graduation = (await ledger.exists()) ? await ledger.read() : undefined
    if (staging.replaces && graduation?.isPlaced) {
      const homes = Object.keys(staging.schemas)
      await runStatements(client, [
        ...graduation.tables.flatMap(({ planned }) => dropTriggersSql(planned.target)),
        setSearchPath([...Object.values(staging.schemas), ...homes], staging.home),
      ])
      await giveBackEmpty(client, staging, graduation)
    }
    await dropRun(client, staging)
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {}) // the connection may be gone, which the error says
    throw error
  }
}

/**
 * A graduation of this file that only the target knows. The same path may be another file on another machine.
 * @throws Failure OUTGROW_GRADUATION_SWITCHED where its rows are in the target
 */
async function forgotten(client: PostgresClient, path: string): Promise<Staging | undefined> {
  for (const { status, staging } of await findRuns(client)) {
    if (status !== 'live') continue
    const ledger = new GraduationLedger(client, staging)
    if (!(await ledger.exists())) continue
    const { file, host, state } = await ledger.read()
    if (file !== path || host !== hostname()) continue
    if (state === 'switched') throw switched()
    return staging
  }
  return undefined
}

function elsewhere({ target, graduation }: Authority): Failure {
  return new Failure({
    code: 'OUTGROW_NO_GRADUATION',
    message: `This target does not have the graduation ${graduation}, which goes to the database ${target.database}.`,
    why: 'What was copied into that database would stay there.',
    fix: 'Pass the URL of that database as --to; if it is gone for good, outgrow graduate cancel --target-gone.',
  })
}

function switched(): Failure {
  return new Failure({
    code: 'OUTGROW_GRADUATION_SWITCHED',
    message: 'The graduation is switched: the application’s rows are in Postgres.',
    fix: 'Go back with outgrow graduate rollback, or end it with outgrow graduate complete.',
  })
}
