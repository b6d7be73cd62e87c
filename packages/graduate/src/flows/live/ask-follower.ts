import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  openSqliteReadonly,
  parsePostgresUrl,
  parseSqliteSource,
  readAuthority,
  refusePooled,
  withPostgres,
} from '@outgrow/databases'
import { GraduationLedger, graduationRun, type GraduationRequest } from '../../ledger/graduation.ts'
import { whoWorks } from '../../ledger/run-lock.ts'

const lookMs = 50

/**
 * Asks something of the process that follows, and waits for what comes of it.
 * @returns undefined where no process follows, or where it ended without an answer: then the caller does it itself
 */
export async function askFollower<Answer>(
  { from, to, signal }: { from: string; to: string; signal: AbortSignal },
  request: Omit<GraduationRequest, 'id'>,
): Promise<Answer | undefined> {
  await refusePooled(to)
  return withPostgres(parsePostgresUrl(to), async (client) => {
    const name = nameIn(from)
    const staging = name === undefined ? undefined : await graduationRun(client, name)
    if (staging === undefined || (await whoWorks(client)) === undefined) return undefined
    const ledger = new GraduationLedger(client, staging)
    if (!(await ledger.exists())) return undefined
    const id = randomUUID()
    let isAsked = false
    try {
      for (;;) {
        isAsked ||= await ledger.ask({ ...request, id })
        const answer = await ledger.answerTo<Answer>(id)
        if (answer !== undefined) return answer
        if ((await whoWorks(client)) === undefined) return await ledger.answerTo<Answer>(id)
        await sleep(lookMs, undefined, { signal })
      }
    } finally {
      // What nobody waits for must not be done later.
      await ledger.withdraw(id).catch(() => {}) // the target is gone, or the graduation with it
    }
  })
}

function nameIn(from: string): string | undefined {
  const database = openSqliteReadonly(parseSqliteSource(from).path)
  try {
    return readAuthority(database)?.graduation
  } finally {
    database.close()
  }
}
