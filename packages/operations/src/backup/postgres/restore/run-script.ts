import type { PostgresClient } from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
import type { DumpStatement } from './script.ts'

/** A statement that the server refused, and the rest went on without. */
export interface LeftOut {
  statement: string
  reason: string
}

const savepoint = 'outgrow_optional'

/**
 * Runs statements of a dump in their order, within a transaction.
 * @returns the optional ones that the server refused
 * @throws Failure OUTGROW_RESTORE_FAILED
 */
export async function runScript(
  client: PostgresClient,
  statements: readonly DumpStatement[],
): Promise<LeftOut[]> {
  const leftOut: LeftOut[] = []
  for (const { text, isOptional } of statements) {
    if (!isOptional) await runNeeded(client, text)
    else {
      const reason = await tryStatement(client, text)
      if (reason !== undefined) leftOut.push({ statement: text, reason })
    }
  }
  return leftOut
}

/** Why the server refused it; undefined when it did not. */
export async function tryStatement(client: PostgresClient, text: string): Promise<string | undefined> {
  await client.query(`SAVEPOINT ${savepoint}`)
  try {
    await client.query(text)
    await client.query(`RELEASE SAVEPOINT ${savepoint}`)
    return undefined
  } catch (error) {
    if (!isRefusal(error)) throw error
    await client.query(`ROLLBACK TO SAVEPOINT ${savepoint}`)
    return messageOf(error)
  }
}

async function runNeeded(client: PostgresClient, text: string): Promise<void> {
  try {
    await client.query(text)
  } catch (error) {
    // Of who may do it, the statement is not guilty.
    if (!isRefusal(error) || (error as { code?: string }).code === '42501') throw error
    throw new Failure({
      code: 'OUTGROW_RESTORE_FAILED',
      message: `The server refused a statement of the backup: ${messageOf(error)}`,
      why: `It was: ${text.length > 300 ? `${text.slice(0, 300)} …` : text}`,
      fix: 'Nothing was changed. Give the server what the statement needs, or use a role that may run it, and run the command again.',
      cause: error,
    })
  }
}

/** What is wrong with the statement, or who may run it: neither the connection nor the server's own trouble. */
function isRefusal(error: unknown): boolean {
  const { code = '' } = error as { code?: string }
  return /^[0-9A-Z]{5}$/.test(code) && !/^(08|53|57|58|XX|40)/.test(code)
}
