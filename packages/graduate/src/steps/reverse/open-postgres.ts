import { Failure } from '@outgrow/kit'
import { connectForRun } from '../../target/postgres/connect.ts'
import { hashHere } from '../../target/postgres/hash-here.ts'
import { hashOnServer } from '../../target/postgres/hash-on-server.ts'
import { PostgresTarget } from '../../target/postgres/postgres-target.ts'
import { hashesRows } from '../../target/postgres/row-hash.ts'
import { explained } from '../../target/postgres/server-failure.ts'
import { refuseTakenPlace } from '../../target/sqlite/new-file.ts'
import type { Step } from '../step.ts'
import type { ReverseRequest } from './reverse-request.ts'

/** Begins to read one state of the Postgres, which all later steps see. */
export const openPostgres: Step<PostgresTarget, ReverseRequest> = {
  name: 'open',
  title: 'Begin a snapshot of Postgres',
  run: async ({ request, defer, explain }) => {
    const { signal } = request
    refuseTakenPlace(request.path)
    const client = await connectForRun(request.target, signal)
    defer(() => client.end().catch(() => {}))
    explain((error) => (signal.aborted ? signal.reason : inOwnWords(explained(error, [client]))))
    const isServers = !request.readsBack && (await hashesRows(client))
    const postgres = new PostgresTarget(client, isServers ? hashOnServer : hashHere)
    const begun = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<void>()
    const reading = postgres.reading(() => {
      begun.resolve()
      return ended.promise
    })
    reading.catch(begun.reject)
    await begun.promise
    defer(async () => {
      ended.resolve()
      await reading.catch(() => {}) // the connection may be gone, and nothing was written
    })
    // The state is that of the first statement.
    await client.query('SELECT 1')
    return { value: postgres }
  },
}

/** What a server's errors mean where nothing was written to it. */
function inOwnWords(error: unknown): unknown {
  if (!(error instanceof Failure)) return error
  const { code, message, cause } = error
  const why = 'Nothing was put in place.'
  switch (code) {
    case 'OUTGROW_POSTGRES_LOST':
    case 'OUTGROW_POSTGRES_REFUSED':
      return new Failure({
        code,
        message,
        why,
        fix: 'When the server is back, run the same command again.',
        cause,
      })
    case 'OUTGROW_TARGET_PRIVILEGES':
      return new Failure({
        code,
        message: message.replace('that the move needs', 'that reading needs'),
        why,
        fix: 'Use a role that may read every table and sees every row, such as the owner of the database.',
        cause,
      })
    default:
      return error
  }
}
