import { Failure, messageOf, type FailureDetails } from '@outgrow/kit'

interface ServerError {
  code: string
  message: string
  detail?: string
  hint?: string
}

/** Waits for work with a server; what it reports of itself, of its limits and its rights becomes a Failure. */
export async function withServerFailures<Result>(
  work: 'backup' | 'restore',
  signal: AbortSignal,
  running: Promise<Result>,
): Promise<Result> {
  try {
    return await running
  } catch (error) {
    // Whoever stops the work destroys its connections.
    signal.throwIfAborted()
    if (error instanceof Failure) throw error
    const details = detailsOf(error, work)
    throw details ? new Failure({ ...details, cause: error }) : error
  }
}

const why = {
  backup: 'What was stored so far is not a backup, and is removed.',
  restore: 'A restore is one transaction: the target is as it was.',
}

function detailsOf(error: unknown, work: 'backup' | 'restore'): FailureDetails | undefined {
  const { code = '', detail, hint } = error as Partial<ServerError>
  const message = messageOf(error)
  const reported = [message, detail, hint].filter((part) => part !== undefined).join(' ')
  if (isLost(code, message))
    return {
      code: 'OUTGROW_POSTGRES_LOST',
      message: `The connection to Postgres was lost: ${message}`,
      why: why[work],
      fix: 'Run the same command again when the server is back.',
    }
  switch (code) {
    case '42501':
      return {
        code: work === 'backup' ? 'OUTGROW_BACKUP_PRIVILEGES' : 'OUTGROW_TARGET_PRIVILEGES',
        message: `The role of the URL lacks a privilege: ${reported}`,
        why: why[work],
        fix: 'Use the role that owns the database, or grant this one what the server names.',
      }
    case '25006':
      return {
        code: 'OUTGROW_TARGET_READ_ONLY',
        message: `The target does not accept writes: ${reported}`,
        why: why[work],
        fix: 'Pass the URL of the primary.',
      }
    case '53100':
      return {
        code: 'OUTGROW_TARGET_FULL',
        message: `The server’s disk is full: ${reported}`,
        why: why[work],
        fix: 'Free space on the server’s disk, or give it more, and run the same command again.',
      }
    case '53200':
      return {
        code: 'OUTGROW_TARGET_LIMIT',
        message: `The server has run out of memory for locks: ${reported}`,
        why: `A ${work} locks every table at once. ${why[work]}`,
        fix: 'Raise max_locks_per_transaction (ALTER SYSTEM SET max_locks_per_transaction = 1024, then restart the server) and run the command again.',
      }
    default:
      if (!/^(53|54|55|57|58|28|40)...$/.test(code)) return undefined
      return {
        code: 'OUTGROW_POSTGRES_REFUSED',
        message: `Postgres ended the ${work}: ${reported} (${code})`,
        why: why[work],
        fix: 'Read the server’s message above; then run the same command again.',
      }
  }
}

function isLost(code: string, message: string): boolean {
  return (
    /^(57P0\d|08\d{3}|ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|ERR_STREAM_PREMATURE_CLOSE)$/.test(code) ||
    /Connection terminated|not queryable|connection error|Client was closed|server closed the connection/i.test(
      message,
    )
  )
}
