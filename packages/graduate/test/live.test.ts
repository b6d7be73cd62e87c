import { join } from 'node:path'
import { expect, test } from 'vitest'
import { connectPostgres, openSqlite, openSqliteReadonly, readAuthority } from '@outgrow/databases'
import { schemaSourceOf } from '@outgrow/schema'
import { makeSqlite, temporaryFolder } from '@outgrow/testing'
import { emptyTarget } from './move.ts'
import { strictOptions } from '../src/model/options.ts'
import { cutOver, rehearse, settle } from '../src/flows/live/follow.ts'
import { openSession } from '../src/flows/live/open-session.ts'
import { rollBack } from '../src/flows/live/roll-back.ts'
import { verifyLive } from '../src/steps/live/verify-live.ts'
import { reachFollowing } from '../src/flows/live/reach-following.ts'
import { hold, prepareHold } from '../src/steps/live/hold.ts'

const schema = `datasource db {
  provider = "sqlite"
}

model Account {
  id      Int     @id @default(autoincrement())
  email   String  @unique
  balance Int
  data    Json?
  entries Entry[]
}

model Entry {
  id        String   @id
  accountId Int
  account   Account  @relation(fields: [accountId], references: [id], onDelete: Cascade)
  amount    Decimal
  at        DateTime @default(now())

  @@index([accountId])
}
`

const ddl = `CREATE TABLE "Account" (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL, balance INTEGER NOT NULL, data JSONB);
CREATE UNIQUE INDEX "Account_email_key" ON "Account"(email);
CREATE TABLE "Entry" (id TEXT NOT NULL PRIMARY KEY, accountId INTEGER NOT NULL, amount DECIMAL NOT NULL, at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "Entry_accountId_fkey" FOREIGN KEY (accountId) REFERENCES "Account"(id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE INDEX "Entry_accountId_idx" ON "Entry"(accountId)`

function makeBank(): string {
  return makeSqlite(ddl, (database) => {
    database.pragma('journal_mode = WAL')
    database.exec(`INSERT INTO "Account" (email, balance, data) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT 'a' || i, 100, '{"n":' || i || '}' FROM n;
      INSERT INTO "Entry" SELECT 'e' || id, id, 100, '2026-01-01T00:00:00.000Z' FROM "Account"`)
  })
}

const none = () => {}

test('a file that is written to is followed, compared and switched', async () => {
  const from = makeBank()
  const { url: to } = await emptyTarget()
  const signal = new AbortController().signal
  const states: (string | undefined)[] = []
  const reached = await reachFollowing({
    from,
    to,
    schema: schemaSourceOf(schema),
    options: strictOptions,
    folder: join(temporaryFolder(), 'graduations'),
    maxLog: 100_000,
    writesHistory: false,
    progress: none,
    onStep: (title) => {
      const file = openSqliteReadonly(from)
      if (/^(Capture|Copy|Compare)/.test(title)) states.push(readAuthority(file)?.state)
      file.close()
    },
    signal,
  })
  expect(states).toEqual([undefined, 'copying', 'copying'])
  expect(reached.tables.every(({ digestMatch }) => digestMatch)).toBe(true)
  const application = openSqlite(from)
  application.exec(`UPDATE "Account" SET balance = balance - 1 WHERE id <= 10;
    DELETE FROM "Account" WHERE id = 20;
    INSERT OR REPLACE INTO "Account" (email, balance) VALUES ('a30', 7);
    INSERT INTO "Account" (email, balance) VALUES ('new', 1)`)
  await using session = await openSession({ from, to, progress: none, signal })
  expect(await settle(session, none)).toBe(0)
  const { tables, findings } = await verifyLive(session)
  expect({ findings, equal: tables.map(({ digestMatch }) => digestMatch) }).toEqual({
    findings: [],
    equal: [true, true],
  })
  const rehearsed = await rehearse(session, { times: 3, budgetMs: 60_000 }, none)
  expect(rehearsed).toHaveLength(3)
  application.exec(`INSERT INTO "Account" (email, balance) VALUES ('last', 1)`)
  const switched = await cutOver(session, { budgetMs: 60_000, attempts: 3 }, none)
  expect(switched.findings).toEqual([])
  expect(() => application.prepare('SELECT * FROM "Account"').all()).toThrow('_outgrow_moved')
  const database = openSqliteReadonly(from)
  expect(readAuthority(database)).toMatchObject({ side: 'postgres', epoch: 2, state: 'switched' })
  const client = await connectPostgres(to)
  const { rows } = await client.query(
    `SELECT (SELECT count(*)::int FROM "Account") AS accounts, (SELECT count(*)::int FROM "Entry") AS entries`,
  )
  expect(rows).toEqual([{ accounts: 1001, entries: 998 }])
  const {
    rows: [added],
  } = await client.query(`INSERT INTO "Account" (email, balance) VALUES ('pg', 1) RETURNING id`)
  expect(added).toEqual({ id: 1004 })
  await client
    .query(
      `UPDATE "Account" SET email = CASE email WHEN 'a1' THEN 'a2' ELSE 'a1' END, balance = balance + 1 WHERE email IN ('a1', 'a2')`,
    )
    .catch(async () => {
      await client.query(
        `UPDATE "Account" SET email = 'x' WHERE email = 'a1'; UPDATE "Account" SET email = 'a1' WHERE email = 'a2'; UPDATE "Account" SET email = 'a2' WHERE email = 'x'`,
      )
    })
  await client.query(
    `DELETE FROM "Account" WHERE email = 'a5'; UPDATE "Account" SET id = 5000 WHERE email = 'a6'; UPDATE "Entry" SET amount = 12.50 WHERE id = 'e7'`,
  )
  await session[Symbol.asyncDispose]()
  await using back = await openSession({ from, to, progress: none, signal })
  const returned = await rollBack(back, { budgetMs: 60_000, attempts: 1 }, none)
  expect(returned.findings).toEqual([])
  expect(application.prepare(`SELECT count(*) AS n FROM "Account"`).get()).toEqual({ n: 1001 })
  expect(
    application.prepare(`SELECT id FROM "Account" WHERE email IN ('a1', 'a2') ORDER BY email`).pluck().all(),
  ).toEqual([2, 1])
  expect(application.prepare(`SELECT "accountId" FROM "Entry" WHERE id = 'e6'`).pluck().get()).toBe(5000)
  application.exec(`INSERT INTO "Account" (email, balance) VALUES ('again', 1)`)
  expect(application.prepare(`SELECT id FROM "Account" WHERE email = 'again'`).pluck().get()).toBe(5001)
  await expect(client.query('SELECT 1 FROM "Account"')).rejects.toThrow('does not exist')
  await back[Symbol.asyncDispose]()
  await using forth = await openSession({ from, to, progress: none, signal })
  const again = await cutOver(forth, { budgetMs: 60_000, attempts: 1 }, none)
  expect(again.findings).toEqual([])
  const counted = await client.query(`SELECT count(*)::int AS accounts FROM "Account"`)
  expect(counted.rows).toEqual([{ accounts: 1002 }])
  await client.end()
})

test('ids go on above those of rows that came between the preparation of a switch and its pause', async () => {
  const from = makeBank()
  const { url: to } = await emptyTarget()
  const signal = new AbortController().signal
  await reachFollowing({
    from,
    to,
    schema: schemaSourceOf(schema),
    options: strictOptions,
    folder: join(temporaryFolder(), 'graduations'),
    maxLog: 100_000,
    writesHistory: false,
    progress: none,
    signal,
  })
  const application = openSqlite(from)
  await using session = await openSession({ from, to, progress: none, signal })
  await settle(session, none)
  const prepared = await prepareHold(session)
  application.exec(`INSERT INTO "Account" (email, balance) VALUES ('between', 1)`)
  await hold(session, prepared, { kind: 'cutover', budgetMs: 60_000 })
  const client = await connectPostgres(to)
  const { rows } = await client.query(`INSERT INTO "Account" (email, balance) VALUES ('pg', 1) RETURNING id`)
  expect(rows).toEqual([{ id: 1002 }])
  await client.end()
})
