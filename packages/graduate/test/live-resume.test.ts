import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { openSqlite, withPostgres } from '@outgrow/databases'
import { introspectSchema, schemaSourceOf } from '@outgrow/schema'
import { makeSqlite } from '@outgrow/testing'
import { cutOver, settle } from '../src/flows/live/follow.ts'
import { openSession } from '../src/flows/live/open-session.ts'
import { reachFollowing } from '../src/flows/live/reach-following.ts'
import { strictOptions, type MoveOptions } from '../src/model/options.ts'
import { refusedTypes } from '../src/source/sqlite/refused-types.ts'
import { verifyLive } from '../src/steps/live/verify-live.ts'
import { emptyTarget } from './move.ts'
import { none, signal } from './live-helpers.ts'

/** Begins a graduation that is stopped after changes are captured and before the copy, and goes on with it. */
async function resumed(sql: string, between: string, again: Partial<MoveOptions> = {}) {
  const from = makeSqlite(sql, (database) => database.pragma('journal_mode = WAL'))
  const { url: to } = await emptyTarget()
  const request = {
    from,
    to,
    schema: schemaSourceOf(introspectSchema(from, refusedTypes).text, dirname(from)),
    options: strictOptions,
    folder: join(dirname(from), 'graduations'),
    maxLog: 100_000,
    writesHistory: false,
    progress: none as (event: { step: string }) => void,
    signal,
  }
  await expect(
    reachFollowing({
      ...request,
      progress: ({ step }) => {
        if (step === 'capture') throw new Error('stopped')
      },
    }),
  ).rejects.toThrow('stopped')
  const application = openSqlite(from)
  application.exec(between)
  application.close()
  await reachFollowing({ ...request, options: { ...strictOptions, ...again } })
  return { from, to, progress: none, signal }
}

test('a graduation that goes on reads the log by the key that its triggers write', async () => {
  const ends = await resumed(
    `CREATE TABLE t (a INTEGER UNIQUE, b INTEGER UNIQUE, v TEXT NOT NULL); INSERT INTO t VALUES (1, 10, 'x'), (2, 20, 'y')`,
    `INSERT INTO t VALUES (3, NULL, 'z'), (4, 40, 'u')`,
  )
  const application = openSqlite(ends.from)
  await using session = await openSession(ends)
  await settle(session, none)
  expect((await verifyLive(session)).findings).toEqual([])
  application.exec(`UPDATE t SET v = 'new' WHERE a = 1; DELETE FROM t WHERE a = 2`)
  application.close()
  await cutOver(session, { budgetMs: 60_000, attempts: 1 }, none)
  const { rows } = await withPostgres(ends.to, (client) => client.query('SELECT a, v FROM t ORDER BY a'))
  expect(rows).toEqual([
    { a: 1, v: 'new' },
    { a: 3, v: 'z' },
    { a: 4, v: 'u' },
  ])
})

test('a graduation that goes on with other tables than it captures is refused', async () => {
  const going = resumed(
    `CREATE TABLE a (id INTEGER PRIMARY KEY NOT NULL, v TEXT); INSERT INTO a VALUES (1, 'a');
     CREATE TABLE b (id INTEGER PRIMARY KEY NOT NULL, v TEXT); INSERT INTO b VALUES (100, 'b');
     CREATE TABLE c (id INTEGER PRIMARY KEY NOT NULL, v TEXT); INSERT INTO c VALUES (1, 'c')`,
    '',
    { skipTables: new Set(['a']) },
  )
  await expect(going).rejects.toMatchObject({ code: 'OUTGROW_SOURCE_CHANGED' })
})
