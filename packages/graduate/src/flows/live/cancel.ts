import { rmSync } from 'node:fs'
import { parsePostgresUrl, parseSqliteSource, runStatements } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { dieAt } from '../../die-at.ts'
import { GraduationLedger, graduationRun } from '../../ledger/graduation.ts'
import { lockTarget } from '../../ledger/run-lock.ts'
import { dropRun } from '../../ledger/runs.ts'
import { uncapture } from '../../source/sqlite/live/capture.ts'
import { LiveFile } from '../../source/sqlite/live/live-file.ts'
import { copyPath } from '../../steps/live/capture-changes.ts'
import { connectForRun } from '../../target/postgres/connect.ts'
import { setSearchPath } from '../../target/postgres/stage.ts'
import { completed } from './open-session.ts'
import { repaired } from './repair.ts'

/**
 * Takes a graduation back before its switch: the target is as it was, and so is the schema of the file.
 * @returns its name; undefined where none is under way
 * @throws Failure OUTGROW_GRADUATION_SWITCHED, OUTGROW_RUN_ACTIVE
 */
export async function cancelGraduation({
  from,
  to,
  folder,
  signal,
}: {
  from: string
  to: string
  folder: string
  signal: AbortSignal
}): Promise<string | undefined> {
  const { path } = parseSqliteSource(from)
  using file = new LiveFile(path)
  const { authority } = file
  if (authority === undefined) return undefined
  const { graduation, state, side } = authority
  if (state === 'completed') throw completed()
  if (side === 'postgres') throw switched()
  const client = await connectForRun(parsePostgresUrl(to), signal)
  try {
    await lockTarget(client)
    const staging = await graduationRun(client, graduation)
    // The target first: a graduation that the file still knows can be cancelled again.
    if (staging) {
      await runStatements(client, [setSearchPath(Object.values(staging.schemas), staging.home)])
      const ledger = new GraduationLedger(client, staging)
      // A switch that the file never made has left its tables in place.
      if (await ledger.exists()) await repaired(client, await ledger.read(), authority, staging, ledger)
      await dropRun(client, staging)
    }
    dieAt('target-dropped')
    await file.write(uncapture, signal)
  } finally {
    await client.end()
  }
  const copy = copyPath({ folder, graduation })
  for (const name of [copy, `${copy}.copied`, `${copy}.copied.partial`]) rmSync(name, { force: true })
  return graduation
}

function switched(): Failure {
  return new Failure({
    code: 'OUTGROW_GRADUATION_SWITCHED',
    message: 'The graduation is switched: the application’s rows are in Postgres.',
    fix: 'Go back with outgrow graduate rollback, or end it with outgrow graduate complete.',
  })
}
