import type { PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'

/**
 * Refuses what pg_dump as WebAssembly does not write as it is: it drops each line that begins as the commands `\restrict` and
 * `\unrestrict` of its own scripts do.
 * @throws Failure OUTGROW_PG_DUMP
 */
export async function refuseUnwritable(client: PostgresClient): Promise<void> {
  const { rows } = await client.query<{ what: string }>(
    `SELECT format('the function %s', oid::regprocedure) AS what FROM pg_proc WHERE prosrc ~* $1
     UNION ALL
     SELECT format('the comment on %s', pg_describe_object(classoid, objoid, objsubid)) FROM pg_description WHERE description ~* $1`,
    [String.raw`(^|\n)\\(un)?restrict\y`],
  )
  const [first] = rows
  if (first === undefined) return
  throw new Failure({
    code: 'OUTGROW_PG_DUMP',
    message: `In ${first.what}, a line begins with \\restrict or \\unrestrict.`,
    why: 'pg_dump’s scripts have such lines of their own, and these would be lost among them.',
    fix: 'Change that line, for example by a space before it, and run the command again.',
  })
}
