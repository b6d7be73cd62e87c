import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { Failure, messageOf, type FailureDetails } from '@outgrow/kit'

/** What a Postgres server says of an error, as the driver gives it. */
interface ServerError {
  code: string
  message: string
  detail?: string
  hint?: string
  table?: string
}

/** Undefined for anything that is no error of a server. */
function serverError(error: unknown): ServerError | undefined {
  const { code } = error as { code?: unknown }
  const isState = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]{4}$/.test(code)
  return isState ? (error as ServerError) : undefined
}

/**
 * The expected failure behind an error that ended a move, with the server's own words; the error itself where there is none
 * behind it.
 */
export function explained(error: unknown, clients: PostgresClient[]): unknown {
  if (error instanceof Failure) return error
  const [client] = clients
  if (!client) return error
  const lost = lostConnection(error, clients)
  if (lost) return lost
  const known = serverError(error)
  if (!known) return error
  const details = detailsOf(known, client)
  return details ? new Failure({ ...details, cause: error }) : error
}

function detailsOf(error: ServerError, client: PostgresClient): FailureDetails | undefined {
  const reported = [error.message, error.detail, error.hint].filter((part) => part !== undefined).join(' ')
  switch (error.code) {
    case '42501':
      return {
        code: 'OUTGROW_TARGET_PRIVILEGES',
        message: `The role ${client.user ?? ''} lacks a privilege that the move needs: ${reported}`,
        why: 'The move builds in a schema of its own and publishes it in one transaction. The target is unchanged.',
        fix: grantFor(error, client),
      }
    case '2BP01':
      return {
        code: 'OUTGROW_TARGET_NOT_PLAIN',
        message: `The target’s empty tables cannot be replaced: ${reported}`,
        why: 'The filled tables replace the empty ones, and objects that depend on those would be lost.',
        fix: 'Move into an empty database, or drop the objects named above and recreate them afterwards.',
      }
    case '25006':
      return {
        code: 'OUTGROW_TARGET_READ_ONLY',
        message: `The target does not accept writes: ${reported}`,
        why: 'It is a replica, or default_transaction_read_only is on for the database or the role.',
        fix: 'Pass the URL of the primary, or turn default_transaction_read_only off.',
      }
    case '53100':
      return {
        code: 'OUTGROW_TARGET_FULL',
        message: `The server’s disk is full: ${reported}`,
        why: 'What was copied so far is kept in the run’s own schema; nothing is published.',
        fix: 'Free space on the server’s disk and run the same command again: a move goes on with --resume, a graduation by itself.',
      }
    case '53200':
      return {
        code: 'OUTGROW_TARGET_LIMIT',
        message: `The server has run out of memory for locks: ${reported}`,
        why: 'All tables are published in one transaction, which locks every table and index.',
        fix: 'Raise max_locks_per_transaction (ALTER SYSTEM SET max_locks_per_transaction = 1024, then restart the server) and run the command again.',
      }
    case '42710':
    case '42723':
    case '42P06':
    case '42P07':
      return {
        code: 'OUTGROW_TARGET_NOT_EMPTY',
        message: `The target already contains an object with that name: ${reported}`,
        fix: 'Pass a new database, or drop the objects named above yourself.',
      }
    default:
      if (/^(22|23)/.test(error.code)) {
        return {
          code: 'OUTGROW_ROWS_REFUSED',
          message: `Postgres rejected rows of the file: ${reported}`,
          why: 'They violate a constraint of the target or do not fit one of its types. Nothing was published.',
          fix: 'Correct the rows, or the constraint in the migrations, and run the command again with --restart.',
        }
      }
      // Resources, limits, interventions, the server's own system: nothing that a program does wrong.
      if (!/^(53|54|55|57|58|28|40)/.test(error.code)) return undefined
      return {
        code: 'OUTGROW_POSTGRES_REFUSED',
        message: `Postgres rejected the statement: ${reported} (${error.code})`,
        fix: 'Read the server’s message above; then run the same command again: a move goes on with --resume, a graduation by itself.',
      }
  }
}

function grantFor({ message, table }: ServerError, { user, database }: PostgresClient): string {
  const role = quoteIdentifier(user ?? 'role')
  const named = /(?:for|of) (schema|database|table|sequence|type|function|view|relation) (\S+)/.exec(message)
  const [, kind, name] = named ?? []
  if (/row-level security/.test(message)) {
    return `Row security hides rows of ${table ?? 'a table'} from this role: run ALTER TABLE … NO FORCE ROW LEVEL SECURITY for the move, or use a role with BYPASSRLS.`
  }
  if (/must be owner/.test(message) && name)
    return `As its owner: ALTER ${kind === 'relation' ? 'TABLE' : kind?.toUpperCase()} ${name} OWNER TO ${role};`
  if (kind === 'schema') return `As its owner: GRANT CREATE, USAGE ON SCHEMA ${name} TO ${role};`
  if (kind === 'table') return `As its owner: ALTER TABLE ${table ?? name} OWNER TO ${role};`
  return `As the database’s owner: GRANT CREATE ON DATABASE ${quoteIdentifier(database ?? 'database')} TO ${role}; GRANT CREATE, USAGE ON SCHEMA public TO ${role};`
}

function lostConnection(error: unknown, clients: PostgresClient[]): Failure | undefined {
  // What the server reported before it hung up is better than what the driver makes of the silence afterwards.
  const code = (error as { code?: string } | undefined)?.code ?? ''
  const reported = /^[05]/.test(code)
    ? undefined
    : clients.map((client) => lastErrors.get(client)).find((words) => words !== undefined)
  const message = messageOf(error)
  const lost =
    reported !== undefined ||
    /^(57P0\d|08\d{3}|ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT)$/.test(code) ||
    /Connection terminated|not queryable|connection error|Client was closed/i.test(message)
  if (!lost) return undefined
  return new Failure({
    code: 'OUTGROW_POSTGRES_LOST',
    message: `The connection to Postgres was lost: ${reported ?? message}`,
    why: 'What was copied so far is kept in the run’s own schema; nothing is published.',
    fix: 'When the server is back, run the same command again: a move goes on with --resume, a graduation by itself.',
    cause: error,
  })
}

const lastErrors = new WeakMap<PostgresClient, string>()

/** Remembers what ended a connection. To be called once, as soon as it is open. */
export function listenForEnd(client: PostgresClient): void {
  client.on('error', (error: Error) => {
    if (!lastErrors.has(client)) lastErrors.set(client, error.message)
  })
}

/** The project's DDL, or Prisma's, that the server does not take. */
export function ddlFailure(error: unknown): unknown {
  const known = serverError(error)
  if (!known || /^(42501|25006|53|55|57|08|40)/.test(known.code)) return error
  const type = /type "(citext|hstore|ltree|vector|geometry|geography)" does not exist/.exec(
    known.message,
  )?.[1]
  return new Failure({
    code: 'OUTGROW_SCHEMA_DDL',
    message: `Postgres rejected the tables: ${known.message}`,
    fix:
      type === undefined
        ? 'Correct the schema or the migration that creates this object, and run the command again.'
        : `This type comes from an extension: run CREATE EXTENSION ${type.startsWith('geo') ? 'postgis' : type} in the target first.`,
    cause: error,
  })
}
