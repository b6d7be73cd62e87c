import { dirname, join } from 'node:path'
import { withPostgres, type SqliteDatabase } from '@outgrow/databases'
import { schemaSourceOf, introspectSchema } from '@outgrow/schema'
import { makeSqlite } from '@outgrow/testing'
import { reachFollowing } from '../src/flows/live/reach-following.ts'
import { strictOptions, type MoveOptions } from '../src/model/options.ts'
import { refusedTypes } from '../src/source/sqlite/refused-types.ts'
import { emptyTarget, sqliteSchema } from './move.ts'

export const none = () => {}
export const { signal } = new AbortController()

export interface FollowingOptions {
  options?: Partial<MoveOptions>
  maxLog?: number
  /** What the file has beside what the SQL makes. */
  fill?: (database: SqliteDatabase) => void
  /** Of the file; without it as the file says. */
  schema?: string
  /** SQL of what the target has before anything else. */
  prepare?: string
}

/** A file that is followed. */
export async function following(
  sql: string,
  { options = {}, maxLog = 100_000, fill, schema, prepare }: FollowingOptions = {},
) {
  const from = makeSqlite(sql, (database) => {
    database.pragma('journal_mode = WAL')
    fill?.(database)
  })
  const { url: to } = await emptyTarget()
  if (prepare !== undefined) await withPostgres(to, (client) => client.query(prepare))
  await reachFollowing({
    from,
    to,
    schema: schemaSourceOf(
      schema === undefined ? introspectSchema(from, refusedTypes).text : sqliteSchema(schema),
      dirname(from),
    ),
    options: { ...strictOptions, ...options },
    folder: join(dirname(from), 'graduations'),
    maxLog,
    writesHistory: false,
    progress: none,
    signal,
  })
  return { from, to, progress: none, signal }
}
