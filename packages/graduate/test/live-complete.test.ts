import { join } from 'node:path'
import { connectPostgres, openSqliteReadonly, readAuthority } from '@outgrow/databases'
import { schemaSourceOf } from '@outgrow/schema'
import { makeSqlite, temporaryFolder, until } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { completeGraduation } from '../src/flows/live/complete.ts'
import { cutOver } from '../src/flows/live/follow.ts'
import { openSession } from '../src/flows/live/open-session.ts'
import { reachFollowing } from '../src/flows/live/reach-following.ts'
import { strictOptions } from '../src/model/options.ts'
import { verifyLive } from '../src/steps/live/verify-live.ts'
import { emptyTarget } from './move.ts'

const schema = `datasource db {
  provider = "sqlite"
}

model Author {
  id   Int    @id
  name String
}

model Book {
  id    Int    @id
  title String
}
`

const none = () => {}

test('a graduation is completed while transactions of the application hold one table and ask for another', async () => {
  const from = makeSqlite(
    `CREATE TABLE "Author" (id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL);
     CREATE TABLE "Book" (id INTEGER NOT NULL PRIMARY KEY, title TEXT NOT NULL);
     INSERT INTO "Author" VALUES (1, 'Ada');
     INSERT INTO "Book" VALUES (1, 'Notes')`,
    (database) => database.pragma('journal_mode = WAL'),
  )
  const { url: to } = await emptyTarget()
  const { signal } = new AbortController()
  await reachFollowing({
    from,
    to,
    schema: schemaSourceOf(schema),
    options: strictOptions,
    folder: join(temporaryFolder(), 'graduations'),
    maxLog: 1000,
    writesHistory: false,
    progress: none,
    onStep: none,
    signal,
  })
  {
    await using session = await openSession({ from, to, progress: none, signal })
    await verifyLive(session)
    await cutOver(session, { budgetMs: 60_000, attempts: 3 }, none)
  }
  await using session = await openSession({ from, to, progress: none, signal })

  const application = await connectPostgres(to)
  const onlooker = await connectPostgres(to)
  const triggers = async (table: string) => {
    const { rows } = await onlooker.query(
      `SELECT tgname FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal ORDER BY 1`,
      [`"${table}"`],
    )
    return rows.map(({ tgname }: { tgname: string }) => tgname)
  }
  expect(await triggers('Author')).toEqual(['_outgrow_row', '_outgrow_truncate'])
  await application.query(`BEGIN; UPDATE "Book" SET title = 'More notes' WHERE id = 1`)
  const completing = completeGraduation(session, false)
  await until(async () => (await triggers('Author')).length === 0)
  // It waits for this transaction, which waits for nobody.
  await application.query(`UPDATE "Author" SET name = 'Ada Lovelace' WHERE id = 1`)
  expect(await triggers('Book')).toEqual(['_outgrow_row', '_outgrow_truncate'])
  await application.query('COMMIT')
  await completing
  expect(await triggers('Book')).toEqual([])
  const { rows } = await application.query(`SELECT name, title FROM "Author", "Book"`)
  expect(rows).toEqual([{ name: 'Ada Lovelace', title: 'More notes' }])
  const file = openSqliteReadonly(from)
  expect(readAuthority(file)).toMatchObject({ side: 'postgres', state: 'completed' })
  file.close()
  await Promise.all([application.end(), onlooker.end()])
})
