import { parsePostgresUrl, withPlainPostgres, type PostgresClient } from '@outgrow/databases'

/** The function of an auth_query, as it stands in one database. */
export type AuthQueryState = 'usable' | 'missing' | 'denied' | 'unknown'

/**
 * Whether the auth user could run the auth query in a database of the server. It is never run: it would answer with a secret.
 */
export async function authQueryIn(
  directUrl: string,
  database: string,
  authUser: string,
  authQuery: string,
): Promise<AuthQueryState> {
  const there = new URL(parsePostgresUrl(directUrl).url)
  there.pathname = encodeURIComponent(database)
  try {
    return await withPlainPostgres(there.href, (client) => {
      const called = functionIn(authQuery)
      return called ? functionState(client, called, authUser) : preparedState(client, authQuery)
    })
  } catch {
    return 'unknown'
  }
}

/** `SELECT … FROM schema.function($1)`, as nearly all of them are. */
function functionIn(authQuery: string): { schema: string; name: string } | undefined {
  const identifier = String.raw`("(?:[^"]|"")+"|\w+)`
  const pattern = new RegExp(String.raw`${identifier}\.${identifier}\s*\(\s*\$1`)
  const [, schema, name] = pattern.exec(authQuery) ?? []
  return schema === undefined || name === undefined
    ? undefined
    : { schema: unquoted(schema), name: unquoted(name) }
}

function unquoted(identifier: string): string {
  return identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier.toLowerCase()
}

/** From the catalog, which everybody may read, whoever may use the function. */
async function functionState(
  client: PostgresClient,
  { schema, name }: { schema: string; name: string },
  authUser: string,
): Promise<AuthQueryState> {
  const { rows } = await client.query<{ may: boolean }>(
    `SELECT has_function_privilege($1, p.oid, 'EXECUTE') AND has_schema_privilege($1, n.oid, 'USAGE') AS may
       FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname = $2 AND p.proname = $3 AND p.pronargs = 1`,
    [authUser, schema, name],
  )
  if (rows.length === 0) return 'missing'
  return rows.some(({ may }) => may) ? 'usable' : 'denied'
}

async function preparedState(client: PostgresClient, authQuery: string): Promise<AuthQueryState> {
  try {
    // With a name the driver speaks the extended protocol, which takes one statement only.
    await client.query({ name: 'auth_query', text: `PREPARE outgrow_auth (text) AS ${authQuery}` })
    return 'usable'
  } catch (error) {
    const { code = '' } = error as { code?: string }
    // No such schema, table, function or column; or no statement at all.
    return /^(3F000|42P01|42883|42703|42601)$/.test(code) ? 'missing' : 'unknown'
  }
}

/** The zone that a session gets: first as the client asks for it, then without. Undefined where none could be had. */
export async function zoneThrough(pooledUrl: string): Promise<string | undefined> {
  const { url } = parsePostgresUrl(pooledUrl)
  const asking = new URL(url)
  asking.searchParams.set(
    'options',
    [url.searchParams.get('options'), '-c timezone=UTC'].filter(Boolean).join(' '),
  )
  const plain = await zoneAt(url.href)
  if (plain === undefined || isUtc(plain)) return plain
  const asked = await zoneAt(asking.href)
  return asked !== undefined && isUtc(asked) ? asked : plain
}

export function isUtc(zone: string): boolean {
  return /^(Etc\/)?(UTC|UCT|GMT|Zulu|Universal)$/i.test(zone)
}

async function zoneAt(url: string): Promise<string | undefined> {
  try {
    return await withPlainPostgres(
      url,
      async (client) =>
        (await client.query<{ zone: string }>("SELECT current_setting('timezone') AS zone")).rows[0]?.zone,
    )
  } catch {
    return undefined
  }
}
