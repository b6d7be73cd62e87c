import { quoteIdentifier, quoteLiteral, type PostgresClient } from '@outgrow/databases'
import type { PostgresDetails } from '../details.ts'
import { tryStatement, type LeftOut } from './run-script.ts'

/** Settings and the comment of the database itself: no dump of a schema has them. */
export async function restoreSettings(
  client: PostgresClient,
  { settings, comment }: Pick<PostgresDetails, 'settings' | 'comment'>,
): Promise<LeftOut[]> {
  const { rows } = await client.query<{ name: string }>('SELECT current_database() AS name')
  const database = quoteIdentifier(rows[0]?.name ?? '')
  const leftOut: LeftOut[] = []
  const attempt = async (statement: string, whole = statement) => {
    const reason = await tryStatement(client, whole)
    if (reason !== undefined) leftOut.push({ statement, reason })
  }
  for (const { role, name, value } of settings) {
    const whose =
      role === null ? `DATABASE ${database}` : `ROLE ${quoteIdentifier(role)} IN DATABASE ${database}`
    const setting = name.split('.').map(quoteIdentifier).join('.')
    const statement = `ALTER ${whose} SET ${setting} FROM CURRENT`
    // Only so a list is taken for what it is: written as a literal, it would be one name.
    await attempt(
      `ALTER ${whose} SET ${setting}`,
      `SELECT set_config('outgrow.previous', current_setting(${quoteLiteral(name)}, true), true);
       SELECT set_config(${quoteLiteral(name)}, ${quoteLiteral(value)}, true);
       ${statement};
       SELECT set_config(${quoteLiteral(name)}, current_setting('outgrow.previous'), true)`,
    )
  }
  if (comment !== null) await attempt(`COMMENT ON DATABASE ${database} IS ${quoteLiteral(comment)}`)
  return leftOut
}
