import {
  parsePostgresUrl,
  parseSqliteSource,
  runStatements,
  type Authority,
  type PostgresClient,
} from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { restoreOptions } from '../../model/options.ts'
import type { Progress } from '../../model/progress.ts'
import { GraduationLedger, graduationRun } from '../../ledger/graduation.ts'
import { lockTarget } from '../../ledger/run-lock.ts'
import { recordedSchemaVersion } from '../../source/sqlite/live/capture.ts'
import { DirtyKeys } from '../../source/sqlite/live/dirty.ts'
import { LiveFile } from '../../source/sqlite/live/live-file.ts'
import { repaired } from './repair.ts'
import { finishReturn, followAgain } from './roll-back.ts'
import type { LiveSession } from '../../steps/live/session.ts'
import { connectForRun } from '../../target/postgres/connect.ts'
import { hashOnServer } from '../../target/postgres/hash-on-server.ts'
import { inHomes } from '../../steps/live/in-homes.ts'
import { followedSql } from '../../target/postgres/live/followed-tables.ts'
import { explained } from '../../target/postgres/server-failure.ts'
import { PostgresTarget } from '../../target/postgres/postgres-target.ts'
import { setSearchPath } from '../../target/postgres/stage.ts'

/** A session, until it is disposed of. */
export type OpenedSession = LiveSession &
  AsyncDisposable & {
    /** A way back that had been cut off between its commits was finished. */
    hasReturned: boolean
    /** What ended the work, in the words of an expected failure where it is one. */
    explained(error: unknown): unknown
  }

export interface SessionRequest {
  from: string
  to: string
  progress: Progress
  signal: AbortSignal
}

/**
 * Opens a graduation to work on it, and sets right what a crash has left between the two commits of a switch.
 * @throws Failure OUTGROW_NO_GRADUATION, OUTGROW_GRADUATION_SWITCHED where it was completed, OUTGROW_RUN_ACTIVE
 */
export async function openSession({ from, to, progress, signal }: SessionRequest): Promise<OpenedSession> {
  const { path } = parseSqliteSource(from)
  const target = parsePostgresUrl(to)
  const clients: PostgresClient[] = []
  const file = new LiveFile(path)
  let isOpen = true
  const close = async () => {
    if (!isOpen) return
    isOpen = false
    await Promise.all(clients.map((client) => client.end().catch(() => {}))) // it may be gone already
    file[Symbol.dispose]()
  }
  try {
    const authority = file.authority ?? noGraduation(path)
    if (authority.state === 'completed') throw completed()
    const connect = async () => {
      const client = await connectForRun(target, signal)
      clients.push(client)
      return client
    }
    const [client, other] = [await connect(), await connect()]
    await lockTarget(client)
    const staging = await graduationRun(client, authority.graduation)
    if (staging === undefined) throw notThere(authority)
    const ledger = new GraduationLedger(client, staging)
    const searchPath = setSearchPath(Object.values(staging.schemas), staging.home)
    await Promise.all(
      [client, other].map((one) => runStatements(one, [searchPath, 'SET synchronous_commit = on'])),
    )
    await ledger.forgetRequests()
    const known = await ledger.read()
    const isReturning = authority.side === 'postgres' && known.epoch === authority.epoch + 1
    const graduation = await repaired(client, known, authority, staging, ledger)
    const tables = graduation.state === 'following' ? graduation.tables : inHomes(graduation.tables, staging)
    const captured = tables.map(({ number, planned, key }) => ({
      number,
      name: planned.source.name,
      key: key.map((at) => planned.columns[at]?.source ?? ''),
    }))
    const session: LiveSession = {
      file,
      dirty: new DirtyKeys(file.reader, captured),
      target: new PostgresTarget(client, hashOnServer),
      second: new PostgresTarget(other, hashOnServer),
      ledger,
      staging,
      graduation,
      tables,
      sql: await followedSql(client, tables),
      options: restoreOptions(staging.record),
      uncounted: new Set(),
      schemaVersion: recordedSchemaVersion(file.reader),
      progress,
      signal,
    }
    if (isReturning) {
      await finishReturn(session)
      session.schemaVersion = recordedSchemaVersion(file.reader)
    }
    if (!isReturning && graduation.state === 'following' && graduation.isPlaced) await followAgain(session)
    return Object.assign(session, {
      hasReturned: isReturning,
      [Symbol.asyncDispose]: close,
      explained: (error: unknown) => (signal.aborted ? signal.reason : explained(error, clients)),
    })
  } catch (error) {
    await close()
    throw signal.aborted ? signal.reason : explained(error, clients)
  }
}

function noGraduation(path: string): never {
  throw new Failure({
    code: 'OUTGROW_NO_GRADUATION',
    message: `No graduation of ${path} is under way.`,
    fix: 'Begin one with outgrow graduate --from … --to ….',
  })
}

/** There is no way back from it. */
export function completed(): Failure {
  return new Failure({
    code: 'OUTGROW_GRADUATION_SWITCHED',
    message: 'The graduation is completed: the application’s rows are in Postgres, and there is no way back.',
    fix: 'Nothing is left to do. The file as it was at the switch is kept beside its place.',
  })
}

function notThere({ target, graduation, side }: Authority): Failure {
  return new Failure({
    code: 'OUTGROW_NO_GRADUATION',
    message: `This target does not have the graduation ${graduation}, which goes to the database ${target.database}.`,
    fix: `Pass the URL of that database as --to.${side === 'sqlite' ? ' If it was made anew, take the graduation back first: outgrow graduate cancel.' : ''}`,
  })
}
