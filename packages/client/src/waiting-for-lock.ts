import type { SqliteUrl } from '@outgrow/databases'
import { lockTimeoutMs } from './adapters.ts'

/** A client's options, with which it would give up the start of a transaction after 2 s: before the wait for the lock is over. */
export function waitingForLock(
  { parameters }: SqliteUrl,
  options: Record<string, unknown> = {},
): Record<string, unknown> {
  const { transactionOptions, ...rest } = options
  const maxWait = lockTimeoutMs(parameters) + 5000
  return { ...rest, transactionOptions: { maxWait, ...(transactionOptions as object | undefined) } }
}
