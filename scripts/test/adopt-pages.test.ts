import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { StoredColumns } from '@outgrow/billing/adopt'
import { describe, expect, test } from 'vitest'
import { adoptFrom, application, eventText, literal, type Provider } from './adopting.ts'

const count = 1003

/** SQL of `count` rows: their number, and an event's id and body. */
function numbered(provider: Provider, select: string): string {
  return provider === 'sqlite'
    ? `WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < ${count}) SELECT ${select} FROM s`
    : `SELECT ${select} FROM generate_series(1, ${count}) AS s(i)`
}

const bodySql = literal(eventText('evt_#')).replace('#', `' || i || '`)

interface Shape {
  what: string
  provider: Provider
  table: string
  sql: string
  duplicates?: number
  columns?: StoredColumns
}

const id = `'evt_' || i`
const big = '9007199254740992000 + i * 7'
const shapes: Shape[] = [
  ...(['sqlite', 'postgres'] as const).flatMap((provider): Shape[] => [
    {
      what: 'with a key of two columns',
      provider,
      table: 'events',
      sql: `CREATE TABLE events (a integer NOT NULL, b text NOT NULL, event_id text, body text, PRIMARY KEY (a, b));
        INSERT INTO events ${numbered(provider, `i % 3, 'b' || i, ${id}, ${bodySql}`)}`,
    },
    {
      what: 'with keys beyond what a number holds',
      provider,
      table: 'events',
      sql: `CREATE TABLE events (k bigint PRIMARY KEY, event_id text, body text); INSERT INTO events ${numbered(provider, `${big}, ${id}, ${bodySql}`)}`,
    },
    {
      what: 'whose key has the name of something else, in another order',
      provider,
      table: 'events',
      sql: `CREATE TABLE events (id ${provider === 'sqlite' ? 'integer' : 'char(8)'} PRIMARY KEY, event_id text, body text, type text);
        INSERT INTO events ${numbered(provider, `${provider === 'sqlite' ? '10000 - i' : "lpad((10000 - i)::text, 8, '0')"}, ${id}, ${bodySql}, 'x'`)}`,
    },
    {
      what: 'without a key, each event three times',
      provider,
      table: 'events',
      sql: `CREATE TABLE events (event_id text, body text); INSERT INTO events ${numbered(provider, `${id}, ${bodySql}`)};
        INSERT INTO events SELECT * FROM events UNION ALL SELECT * FROM events`,
      duplicates: count * 2,
    },
    {
      what: 'without a key, and only with payloads',
      provider,
      table: 'events',
      sql: `CREATE TABLE events (body text, note text); INSERT INTO events ${numbered(provider, `${bodySql}, 'x'`)}`,
      columns: { payload: 'body' },
    },
    {
      what: 'that is a view, and only of payloads',
      provider,
      table: 'events',
      sql: `CREATE TABLE kept (k integer PRIMARY KEY, body text); INSERT INTO kept ${numbered(provider, `i, ${bodySql}`)};
        CREATE VIEW events AS SELECT body FROM kept`,
      columns: { payload: 'body' },
    },
    {
      what: 'that is a view, each event twice',
      provider,
      table: 'events',
      sql: `CREATE TABLE kept (k integer PRIMARY KEY, event_id text, body text); INSERT INTO kept ${numbered(provider, `i, ${id}, ${bodySql}`)};
        CREATE VIEW events AS SELECT event_id, body FROM kept UNION ALL SELECT event_id, body FROM kept`,
      duplicates: count,
    },
    {
      what: 'with names that want quotes',
      provider,
      table: provider === 'sqlite' ? '"my ""own"" events?"' : '"My schema"."my ""own"" events?"',
      sql: `${provider === 'sqlite' ? '' : 'CREATE SCHEMA "My schema"; SET search_path TO "My schema";'}
        CREATE TABLE "my ""own"" events?" ("Key?" integer PRIMARY KEY, event_id text, body text); INSERT INTO "my ""own"" events?" ${numbered(provider, `i, ${id}, ${bodySql}`)}`,
    },
  ]),
  {
    what: 'WITHOUT ROWID',
    provider: 'sqlite',
    table: 'main.events',
    sql: `CREATE TABLE events (event_id text PRIMARY KEY, body text) WITHOUT ROWID; INSERT INTO events ${numbered('sqlite', `${id}, ${bodySql}`)}`,
  },
  {
    what: 'WITHOUT ROWID, with keys beyond what a number holds',
    provider: 'sqlite',
    table: 'events',
    sql: `CREATE TABLE events (id bigint, part text, event_id text, body text, PRIMARY KEY (part, id)) WITHOUT ROWID; INSERT INTO events ${numbered('sqlite', `${big}, 'p' || i % 2, ${id}, ${bodySql}`)}`,
  },
  {
    what: 'whose columns hide the rowid',
    provider: 'sqlite',
    table: 'EVENTS',
    sql: `CREATE TABLE events (rowid text, oid text, event_id text, body text); INSERT INTO events ${numbered('sqlite', `'x', 'y', ${id}, ${bodySql}`)}`,
  },
  {
    what: 'with random keys, partitioned',
    provider: 'postgres',
    table: 'events',
    sql: `CREATE TABLE events (k uuid DEFAULT gen_random_uuid(), event_id text, body text, PRIMARY KEY (k)) PARTITION BY HASH (k);
      CREATE TABLE events_0 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 0);
      CREATE TABLE events_1 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 1);
      INSERT INTO events (event_id, body) ${numbered('postgres', `${id}, ${bodySql}`)}`,
  },
  {
    what: 'whose rows are in a table that inherits from it, where its key repeats',
    provider: 'postgres',
    table: 'events',
    sql: `CREATE TABLE events (k integer PRIMARY KEY, event_id text, body text); CREATE TABLE older () INHERITS (events);
      INSERT INTO older ${numbered('postgres', `i / 300, ${id}, ${bodySql}`)}`,
  },
  {
    what: 'without a key, whose rows are in tables that inherit from it',
    provider: 'postgres',
    table: 'events',
    sql: `CREATE TABLE events (body text); CREATE TABLE older () INHERITS (events);
      INSERT INTO older ${numbered('postgres', bodySql)} WHERE i % 2 = 0; INSERT INTO events ${numbered('postgres', bodySql)} WHERE i % 2 = 1`,
    columns: { payload: 'body' },
  },
  {
    what: 'that is a materialized view',
    provider: 'postgres',
    table: 'public.events',
    sql: `CREATE MATERIALIZED VIEW events AS ${numbered('postgres', `${id} AS event_id, ${bodySql} AS body`)}`,
  },
]

test.each(shapes)(
  'a table $what is read whole on $provider',
  async ({ provider, table, sql, duplicates = 0, columns = { id: 'event_id', payload: 'body' } }) => {
    const app = await application(provider, sql)
    const request = { table, columns }
    expect(await adoptFrom(app, request)).toMatchObject({
      rowsRead: count + duplicates,
      imported: { done: 0, pending: count, dead: 0 },
      duplicateRows: duplicates,
    })
    const [row] = await app.rows('SELECT count(*) AS n, count(DISTINCT payload) AS p FROM webhook_events')
    expect([Number(row?.n), Number(row?.p)]).toEqual([count, count])
    expect(await adoptFrom(app, request)).toMatchObject({ known: count, imported: { pending: 0 } })
    await app.drop()
  },
)

test.each(['sqlite', 'postgres'] as const)(
  'a view in which only the payload tells rows apart is read whole, over several pages, on %s',
  async (provider) => {
    const many = 7000
    const select = `i, ${bodySql}, '2026-01-31 10:00:0' || i % 2`
    const app = await application(
      provider,
      `CREATE TABLE kept (k integer PRIMARY KEY, body text, at text);
       INSERT INTO kept ${numbered(provider, select).replace(`${count}`, `${many}`)};
       CREATE VIEW events AS SELECT body, at FROM kept`,
    )
    const request = { table: 'events', columns: { payload: 'body', received: 'at' } }
    expect(await adoptFrom(app, request)).toMatchObject({ rowsRead: many, duplicateRows: 0 })
    const [row] = await app.rows('SELECT count(*) AS n FROM webhook_events')
    expect(Number(row?.n)).toBe(many)
    await app.drop()
  },
)

test('what the inbox has is looked up by its key, in whatever collation the ids are', async () => {
  const many = 8000
  const app = await application(
    'postgres',
    `CREATE TABLE events (k integer PRIMARY KEY, event_id text COLLATE "en-x-icu", body text);
     INSERT INTO events ${numbered('postgres', `i, ${id}, ${bodySql}`).replace(`${count}`, `${many}`)}`,
  )
  const request = { table: 'events', columns: { id: 'event_id', payload: 'body' } }
  await adoptFrom(app, request)
  await app.rows('ANALYZE webhook_events')
  const scanned = async () => {
    const [row] = await app.rows(
      `SELECT seq_tup_read AS n FROM pg_stat_user_tables WHERE relname = 'webhook_events'`,
    )
    return Number(row?.n)
  }
  const before = await scanned()
  expect(await adoptFrom(app, request)).toMatchObject({ known: many, imported: { pending: 0 } })
  // A session's numbers are there when it has ended. Read once a page, it would be sixteen times as many.
  expect((await scanned()) - before).toBeLessThan(2 * many)
  await app.drop()
})

describe.each(['sqlite', 'postgres'] as const)('while the application writes, on %s', (provider) => {
  const key = provider === 'sqlite' ? 'integer PRIMARY KEY AUTOINCREMENT' : 'bigserial PRIMARY KEY'
  const table = `CREATE TABLE events (k ${key}, event_id text, body text, done integer DEFAULT 0);
    INSERT INTO events (event_id, body) ${numbered(provider, `${id}, ${bodySql}`)}`
  const request = { table: 'events', columns: { id: 'event_id', payload: 'body', done: 'done' } }

  test('a page is taken whole or not at all, and the next run continues', async () => {
    const app = await application(provider, table)
    const stop = new AbortController()
    const stopped = adoptFrom(app, request, {
      signal: stop.signal,
      onProgress: ({ rowsRead }) => {
        if (rowsRead >= 500) stop.abort(new Error('stopped'))
      },
    })
    await expect(stopped).rejects.toThrow('stopped')
    const [half] = await app.rows('SELECT count(*) AS n FROM webhook_events')
    expect(Number(half?.n)).toBe(500)
    expect(await adoptFrom(app, request)).toMatchObject({
      created: false,
      rowsRead: count,
      known: 500,
      imported: { done: 0, pending: count - 500, dead: 0 },
    })
    await app.drop()
  })

  test('it never waits for the whole run', async () => {
    const app = await application(provider, table.replace(`${count}`, '8000'))
    await app.rows('CREATE INDEX events_event_id ON events (event_id)')
    const writer = fork(join(import.meta.dirname, 'adopt-writer.ts'), [app.url])
    await once(writer, 'message')
    // What is written by the end of each page.
    const looks: Promise<Record<string, unknown>[]>[] = []
    const look = () => looks.push(app.rows("SELECT count(*) AS n FROM events WHERE event_id LIKE 'evt_new%'"))
    const first = await adoptFrom(app, request, { onProgress: look })
    writer.send('how did it go?')
    const [told] = (await once(writer, 'message')) as [{ written: number }]
    await once(writer, 'exit')
    expect(first.imported.pending).toBe(8_000)
    // With the table locked throughout it would be the same each time.
    const counts = (await Promise.all(looks)).map(([row]) => Number(row?.n))
    expect(new Set(counts).size).toBeGreaterThan(1)
    // What was written behind the page that was read is taken by the next run.
    await adoptFrom(app, request)
    const [row] = await app.rows('SELECT count(*) AS n FROM webhook_events')
    expect(Number(row?.n)).toBe(8_000 + told.written)
    await app.drop()
  })

  test('what Stripe delivers to the new inbox meanwhile is not touched', async () => {
    const app = await application(provider, table)
    await adoptFrom(app, {})
    await app.rows(
      `INSERT INTO webhook_events (stripe_event_id, type, payload, status) VALUES ('evt_1', 'invoice.paid', 'new', 'processing')`,
    )
    await app.rows('UPDATE events SET done = 1')
    expect(await adoptFrom(app, request)).toMatchObject({ known: 1, updated: 0 })
    const [row] = await app.rows(`SELECT payload, status FROM webhook_events WHERE stripe_event_id = 'evt_1'`)
    expect(row).toEqual({ payload: 'new', status: 'processing' })
    await app.drop()
  })
})
