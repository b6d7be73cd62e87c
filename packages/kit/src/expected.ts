import { Failure, messageOf } from './failure.ts'

/** What an error looks like whose cause lies outside this program, by where it comes from. */
interface Outside {
  code?: unknown
  /** Node: which call of the system failed. */
  syscall?: unknown
  path?: unknown
  /** Stripe: `StripeConnectionError`. */
  type?: unknown
  name?: string
  /** Postgres. */
  severity?: unknown
}

/** The expected failure behind an error of the file system, of SQLite, of Postgres or of Stripe; else the error itself. */
export function expectedFailure(error: unknown): unknown {
  if (error instanceof Failure || typeof error !== 'object' || error === null) return error
  const { code, syscall, path, type, name, severity } = error as Outside
  const said = messageOf(error)
  if (typeof type === 'string' && type.startsWith('Stripe')) {
    return new Failure({
      code: 'OUTGROW_STRIPE_FAILED',
      message: `The request to Stripe failed: ${said}`,
      fix: 'Check STRIPE_SECRET_KEY, STRIPE_API_BASE and the network, and run the command again.',
      cause: error,
    })
  }
  if (typeof code !== 'string') return error
  if (/^E[A-Z]+$/.test(code) && typeof syscall === 'string') {
    const what =
      typeof path === 'string' ? `${path} cannot be used` : 'The operating system reported an error'
    return new Failure({
      code: 'OUTGROW_SYSTEM',
      message: `${what}: ${said}`,
      fix: 'Check the path, its permissions and the free disk space.',
      cause: error,
    })
  }
  if (name === 'SqliteError' && /^SQLITE_(BUSY|LOCKED)/.test(code)) {
    return new Failure({
      code: 'OUTGROW_SOURCE_BUSY',
      message: `The SQLite file stayed locked: ${said} (${code})`,
      why: 'A transaction of another process holds it.',
      fix: 'Try again; if it stays so, look for a transaction that is open for long.',
      cause: error,
    })
  }
  if (name === 'SqliteError' && /^SQLITE_(FULL|READONLY|CANTOPEN|IOERR|CORRUPT|NOTADB|PERM)/.test(code)) {
    return new Failure({
      code: 'OUTGROW_SQLITE_REFUSED',
      message: `SQLite reported an error: ${said} (${code})`,
      fix: 'Check the file, its folder, the free disk space, and which other processes have it open.',
      cause: error,
    })
  }
  if (severity !== undefined && /^(08|25006|28|40|42501|53|54|55|57|58)/.test(code)) {
    return new Failure({
      code: 'OUTGROW_POSTGRES_REFUSED',
      message: `Postgres reported an error: ${said} (${code})`,
      fix: 'Read the server’s message, and run the command again.',
      cause: error,
    })
  }
  return error
}
