import { Failure, messageOf } from '@outgrow/kit'
import { withPlainPostgres } from './postgres.ts'
import { parseDatabaseUrl, parsePostgresUrl, type PostgresUrl } from './url.ts'

/**
 * The URL for work that needs sessions of its own: `DIRECT_URL` where it is set, since the application's own URL may lead
 * through a pooler. A file is its own. That both lead to one database is asked of both: a `DIRECT_URL` left over from elsewhere
 * must not turn a change of this database into one of that.
 * @param applicationUrl as the environment has it; a URL that somebody named is not replaced
 * @throws Failure OUTGROW_DIRECT_URL_OTHER, OUTGROW_DIRECT_URL_UNCHECKED, OUTGROW_URL_INVALID
 */
export async function sessionUrlOf(
  applicationUrl: string,
  directUrl = process.env.DIRECT_URL,
): Promise<string> {
  const application = parseDatabaseUrl(applicationUrl)
  if (application.kind === 'sqlite' || directUrl === undefined || directUrl === '') return applicationUrl
  const direct = parsePostgresUrl(directUrl)
  if (direct.url.href === application.url.href) return directUrl
  const [here, there] = await Promise.all([placeAt(application, false), placeAt(direct, true)])
  if (here.server === there.server && here.database === there.database && here.schema === there.schema)
    return directUrl
  const named = ({ name, schema }: Place) => `database ${name}, schema ${schema}`
  throw new Failure({
    code: 'OUTGROW_DIRECT_URL_OTHER',
    message: `DIRECT_URL leads to ${named(there)}${here.server === there.server ? '' : ' of another server'}; the application’s URL leads to ${named(here)}.`,
    why: 'It must be the direct way to the same database: this would change another one.',
    fix: 'Correct DIRECT_URL or unset it, or name the database that is meant with --to.',
  })
}

interface Place {
  /** When it was started, in microseconds: no two servers share that. */
  server: string
  /** Oid. */
  database: string
  name: string
  schema: string
}

async function placeAt(url: PostgresUrl, isDirect: boolean): Promise<Place> {
  try {
    return await withPlainPostgres(url, async (client) => {
      const { rows } = await client.query<Omit<Place, 'schema'>>(
        `SELECT extract(epoch FROM pg_postmaster_start_time())::text AS server, oid::text AS database, datname AS name
           FROM pg_database WHERE datname = current_database()`,
      )
      return { ...(rows[0] as Omit<Place, 'schema'>), schema: url.schema }
    })
  } catch (cause) {
    throw new Failure({
      code: 'OUTGROW_DIRECT_URL_UNCHECKED',
      message: `${isDirect ? 'DIRECT_URL' : 'The application’s URL'} cannot be reached: ${messageOf(cause)}`,
      why: 'Whether DIRECT_URL leads to the application’s database can only be known by asking both.',
      fix: 'Correct it, or name the direct URL with --to, which is not compared with anything.',
      cause,
    })
  }
}
