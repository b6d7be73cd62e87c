import { setTimeout as sleep } from 'node:timers/promises'
import { runStatements, type PostgresClient } from '@outgrow/databases'
import { backLogSequence, backLogTable, backLostSequence, type BackLog } from '../../../model/back-log.ts'
import type { FollowedTable } from '../../../model/change.ts'
import type { PlannedTable } from '../../../model/plan.ts'
import { qualified } from '../constraints.ts'
import { lockedFailure } from '../locks.ts'

/** Everybody who asks for the table waits behind us: it is short, and the rest between two attempts is longer. */
const lockWaitMs = 200
const restMs = 400
const giveUpMs = 60_000

/**
 * Ends the logging of the target's changes, and with it the way back, while the application goes on: nothing more is
 * logged from the first statement on, and then the triggers of one table at a time are dropped. Whoever locked two
 * tables at once would wait for a transaction of the application that waits for the other one.
 * It can be done again where it was cut off.
 * @throws Failure OUTGROW_TARGET_LOCKED naming the sessions in the way
 */
export async function endCaptureBack(
  client: PostgresClient,
  log: BackLog,
  tables: readonly FollowedTable[],
  signal: AbortSignal,
): Promise<void> {
  await client.query(`UPDATE ${log.record} SET log_limit = -1`)
  for (const { planned } of tables) {
    await patiently(client, planned.target.schema, signal, dropTriggersSql(planned.target))
  }
}

/** SQL that drops the triggers of a table, where it is now. */
export function dropTriggersSql(table: PlannedTable['target']): string[] {
  return ['_outgrow_row', '_outgrow_truncate'].map(
    (trigger) => `DROP TRIGGER IF EXISTS ${trigger} ON ${qualified(table)}`,
  )
}

/** SQL that drops what the triggers were for, in the order in which it is read by others. */
export function dropCaptureBackSql(log: BackLog, tables: readonly FollowedTable[]): string[] {
  return [
    ...tables.map(({ number }) => `DROP TABLE IF EXISTS ${backLogTable(log, { number })}`),
    ...tables.map(
      ({ number }) =>
        `DROP FUNCTION IF EXISTS ${qualified({ schema: log.schema, name: `_outgrow_capture_${number}` })}()`,
    ),
    `DROP SEQUENCE IF EXISTS ${backLogSequence(log)}, ${backLostSequence(log)}`,
    `DROP TABLE ${log.record}`,
  ]
}

/** Runs statements in one transaction, as often as it takes to get their lock. */
async function patiently(
  client: PostgresClient,
  schema: string,
  signal: AbortSignal,
  statements: string[],
): Promise<void> {
  const until = performance.now() + giveUpMs
  for (;;) {
    try {
      await runStatements(client, [
        'BEGIN',
        `SET LOCAL lock_timeout = ${lockWaitMs}`,
        ...statements,
        'COMMIT',
      ])
      return
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {}) // the connection may be gone, which the error says
      if ((error as { code?: string }).code !== '55P03') throw error
      if (performance.now() > until) throw await lockedFailure(client, [schema], error, lastWords)
      await sleep(restMs, undefined, { signal })
    }
  }
}

const lastWords = {
  why: 'The triggers of each table are dropped, which waits for the transactions that use it. There is no way back any more, and the application goes on.',
  fix: 'and run outgrow graduate complete again.',
}
