import type { StoredColumns } from '@outgrow/billing/adopt'
import { describe, expect, test } from 'vitest'
import { adoptFrom, application, eventText, literal, type Provider } from './adopting.ts'

const body = eventText('evt_1')

/** Each kind of column with one value that says the same. */
const payloads: [Provider, type: string, value: string][] = [
  ['sqlite', 'text', literal(body)],
  ['sqlite', 'blob', `CAST(${literal(body)} AS blob)`],
  ['sqlite', 'json', literal(body)],
  ['sqlite', 'text', literal(JSON.stringify(body))], // JSON made twice
  ['postgres', 'text', literal(body)],
  ['postgres', 'varchar(9000)', literal(body)],
  ['postgres', 'json', literal(body)],
  ['postgres', 'jsonb', literal(body)],
  ['postgres', 'jsonb', literal(JSON.stringify(body))],
  ['postgres', 'bytea', `convert_to(${literal(body)}, 'UTF8')`],
]

test.each(payloads)('on %s a payload is read from %s', async (provider, type, value) => {
  const app = await application(
    provider,
    `CREATE TABLE events (id integer PRIMARY KEY, body ${type}); INSERT INTO events VALUES (1, ${value})`,
  )
  const adoption = await adoptFrom(app, { table: 'events', columns: { payload: 'body' } })
  expect(adoption.imported).toEqual({ done: 0, pending: 1, dead: 0 })
  const [row] = await app.rows('SELECT object_id, customer_id, payload FROM webhook_events')
  expect(row).toMatchObject({ object_id: 'in_1', customer_id: 'cus_1' })
  // As hooks parse it: once.
  expect(JSON.parse(String(row?.payload))).toMatchObject({ id: 'evt_1', data: { object: { id: 'in_1' } } })
  await app.drop()
})

test('a number in json is kept to the last digit', async () => {
  const app = await application(
    'postgres',
    `CREATE TABLE events (id integer PRIMARY KEY, body json); INSERT INTO events VALUES (1, '${body.replace('1700000000', '1700000000, "big": 12345678901234567890')}')`,
  )
  await adoptFrom(app, { table: 'events', columns: { payload: 'body' } })
  const [row] = await app.rows('SELECT payload FROM webhook_events')
  expect(String(row?.payload)).toContain('12345678901234567890')
  await app.drop()
})

const at = Date.UTC(2026, 0, 2, 3, 4, 5)
const times: [Provider, type: string, value: string][] = [
  ['sqlite', 'integer', `${at / 1000}`],
  ['sqlite', 'integer', `${at}`],
  ['sqlite', 'integer', `${at}000`],
  ['sqlite', 'real', `${at / 1000}.0`],
  ['sqlite', 'text', `'2026-01-02 03:04:05'`],
  ['sqlite', 'text', `'2026-01-02T05:04:05.000+02:00'`],
  ['sqlite', 'text', `'2026-01-02T03:04:05Z'`],
  ['sqlite', 'text', `'${at}'`],
  ['postgres', 'integer', `${at / 1000}`],
  ['postgres', 'bigint', `${at}`],
  ['postgres', 'numeric', `${at / 1000}.000`],
  ['postgres', 'text', `'2026-01-02 03:04:05'`],
  ['postgres', 'timestamp', `'2026-01-02 03:04:05'`],
  ['postgres', 'timestamptz', `'2026-01-02 05:04:05+02'`],
]

test.each(times)('on %s a time is read from %s %s', async (provider, type, value) => {
  const app = await application(
    provider,
    `CREATE TABLE events (id text PRIMARY KEY, at ${type}); INSERT INTO events VALUES ('evt_1', ${value})`,
  )
  const columns = { id: 'id', received: 'at', created: 'at' }
  expect((await adoptFrom(app, { table: 'events', columns })).imported.done).toBe(1)
  const [row] = await app.rows('SELECT received_at, stripe_created_at FROM webhook_events')
  for (const time of Object.values(row ?? {})) expect(new Date(time as string).getTime()).toBe(at)
  await app.drop()
})

const flags: [Provider, type: string, yes: string, no: string][] = [
  ['sqlite', 'boolean', '1', '0'],
  ['sqlite', 'text', `'Processed'`, `'failed'`],
  ['sqlite', 'datetime', `'2026-01-02 03:04:05'`, 'NULL'],
  ['sqlite', 'integer', `${at / 1000}`, '0'],
  ['postgres', 'boolean', 'true', 'false'],
  ['postgres', 'text', `'done'`, `''`],
  ['postgres', 'timestamptz', `'2026-01-02 03:04:05+00'`, 'NULL'],
  ['postgres', 'smallint', '1', '0'],
]

test.each(flags)('on %s %s says whether an event was processed', async (provider, type, yes, no) => {
  const app = await application(
    provider,
    `CREATE TABLE events (id integer PRIMARY KEY, body text, done ${type});
     INSERT INTO events VALUES (1, ${literal(body)}, ${yes}), (2, ${literal(eventText('evt_2'))}, ${no})`,
  )
  const columns = { payload: 'body', done: 'done' }
  const { imported } = await adoptFrom(app, { table: 'events', columns })
  expect(imported).toEqual({ done: 1, pending: 1, dead: 0 })
  await app.drop()
})

test.each(['sqlite', 'postgres'] as const)(
  'true means yes beside the values that are named, on %s',
  async (provider) => {
    const app = await application(
      provider,
      `CREATE TABLE events (id integer PRIMARY KEY, body text, state text, ok ${provider === 'sqlite' ? 'text' : 'boolean'});
     INSERT INTO events VALUES (1, ${literal(body)}, 'FINISHED', 'true'), (2, ${literal(eventText('evt_2'))}, 'new', 'false'), (3, ${literal(eventText('evt_3'))}, 'new', 'true')`,
    )
    const columns = { payload: 'body', done: 'state', valid: 'ok' }
    const adoption = await adoptFrom(app, { table: 'events', columns, yesValues: ['finished'] })
    expect(adoption).toMatchObject({ invalid: 1, imported: { done: 1, pending: 1, dead: 0 } })
    await app.drop()
  },
)

test.each(['sqlite', 'postgres'] as const)(
  'an event with what Postgres cannot hold stops no other, on %s',
  async (provider) => {
    const nul = eventText('evt_nul', { api_version: '2025\u0000' })
    const app = await application(
      provider,
      `CREATE TABLE events (id integer PRIMARY KEY, event_id text, body text); INSERT INTO events VALUES (1, 'evt_nul', ${literal(nul)}), (2, 'evt_1', ${literal(body)})`,
    )
    const { imported } = await adoptFrom(app, {
      table: 'events',
      columns: { id: 'event_id', payload: 'body' },
    })
    expect(imported).toEqual({ done: 0, pending: 1, dead: 1 })
    await app.drop()
  },
)

test('test and live mode, versions and times come from columns where there is no payload', async () => {
  const app = await application(
    'sqlite',
    `CREATE TABLE events (id text, mode text, version text, made integer);
     INSERT INTO events VALUES ('evt_1', 'true', '2024-06-20', 1700000000), ('evt_2', 'false', NULL, NULL)`,
  )
  const columns = { id: 'id', livemode: 'mode', apiVersion: 'version', created: 'made' }
  await adoptFrom(app, { table: 'events', columns })
  expect(
    await app.rows(
      'SELECT livemode, api_version, stripe_created_at FROM webhook_events ORDER BY stripe_event_id',
    ),
  ).toEqual([
    { livemode: 1, api_version: '2024-06-20', stripe_created_at: '2023-11-14T22:13:20.000+00:00' },
    { livemode: 0, api_version: null, stripe_created_at: null },
  ])
})

test('events of a connected account are kept apart, as those that arrive are', async () => {
  const app = await application(
    'sqlite',
    `CREATE TABLE events (body text); INSERT INTO events VALUES (${literal(eventText('evt_1', { account: 'acct_1' }))}), (${literal(eventText('evt_2'))})`,
  )
  await adoptFrom(app, { table: 'events', columns: { payload: 'body' } })
  expect(
    await app.rows(
      'SELECT stripe_event_id AS id, stripe_account_id AS account, status FROM webhook_events ORDER BY 1',
    ),
  ).toEqual([
    { id: 'evt_1', account: 'acct_1', status: 'ignored' },
    { id: 'evt_2', account: null, status: 'pending' },
  ])
})

describe.each(['sqlite', 'postgres'] as const)('what could be forged, on %s', (provider) => {
  test('is never pending, and takes no event’s place', async () => {
    const app = await application(
      provider,
      `CREATE TABLE hooks (n integer PRIMARY KEY, event_id text, body text, ok ${provider === 'sqlite' ? 'integer' : 'boolean'});
       INSERT INTO hooks VALUES
        (1, 'evt_forged', ${literal(eventText('evt_forged'))}, ${provider === 'sqlite' ? 0 : 'false'}),
        (2, 'evt_unsaid', ${literal(eventText('evt_unsaid'))}, NULL),
        (3, 'evt_real', ${literal(eventText('evt_real'))}, ${provider === 'sqlite' ? 0 : 'false'}),
        (4, 'evt_real', ${literal(eventText('evt_real'))}, ${provider === 'sqlite' ? 1 : 'true'}),
        (5, 'evt_other', ${literal(eventText('evt_stolen'))}, ${provider === 'sqlite' ? 1 : 'true'}),
        (6, 'evt_none', '{"id": "evt_none", "object": "charge"}', ${provider === 'sqlite' ? 1 : 'true'}),
        (7, 'evt_bad', ${literal(eventText('evt_bad', { data: { object: 'x' } }))}, ${provider === 'sqlite' ? 1 : 'true'})`,
    )
    const columns = { id: 'event_id', payload: 'body', valid: 'ok' }
    const adoption = await adoptFrom(app, { table: 'hooks', columns })
    expect(adoption).toMatchObject({
      rowsRead: 7,
      invalid: 3,
      imported: { done: 0, pending: 1, dead: 3 },
      duplicateRows: 0,
    })
    expect(
      await app.rows(
        "SELECT stripe_event_id AS id FROM webhook_events WHERE status = 'pending' ORDER BY stripe_event_id",
      ),
    ).toEqual([{ id: 'evt_real' }])
    expect(await app.rows("SELECT id FROM webhook_events WHERE stripe_event_id = 'evt_forged'")).toEqual([])
    await app.drop()
  })

  test('of several copies the processed one decides, and then the one that can be read', async () => {
    const app = await application(
      provider,
      `CREATE TABLE hooks (n integer PRIMARY KEY, event_id text, body text, done integer);
       INSERT INTO hooks VALUES (1, 'evt_1', 'no', 0), (2, 'evt_1', ${literal(eventText('evt_1'))}, 0),
        (3, 'evt_2', ${literal(eventText('evt_2'))}, 0), (4, 'evt_2', NULL, 1), (5, 'evt_3', NULL, 0)`,
    )
    const request = { table: 'hooks', columns: { id: 'event_id', payload: 'body', done: 'done' } }
    const first = await adoptFrom(app, request)
    expect(first).toMatchObject({ imported: { done: 1, pending: 1, dead: 1 }, duplicateRows: 2, known: 0 })
    // The application went on: what was pending or dead has been processed, or can be read, when it is run again.
    await app.rows('UPDATE hooks SET done = 1 WHERE n = 1')
    await app.rows(`UPDATE hooks SET body = ${literal(eventText('evt_3'))} WHERE n = 5`)
    expect(await adoptFrom(app, request)).toMatchObject({
      imported: { done: 0, pending: 0, dead: 0 },
      known: 3,
      updated: 2,
    })
    expect(
      await app.rows(
        'SELECT stripe_event_id AS id, status, customer_id AS customer, last_error AS error FROM webhook_events ORDER BY stripe_event_id',
      ),
    ).toEqual([
      { id: 'evt_1', status: 'done', customer: 'cus_1', error: null },
      { id: 'evt_2', status: 'done', customer: 'cus_1', error: null },
      { id: 'evt_3', status: 'pending', customer: 'cus_1', error: null },
    ])
    await app.drop()
  })

  test.each<[string, StoredColumns, string]>([
    ['events', { id: 'n' }, 'OUTGROW_ADOPT_COLUMN'],
    ['events', { id: 'event_id', payload: 'n' }, 'OUTGROW_ADOPT_COLUMN'],
    ['events', { id: 'event_id', payload: 'nothing' }, 'OUTGROW_ADOPT_TABLE'],
    ['events', { type: 'event_id' }, 'OUTGROW_ADOPT_TABLE'],
    ['nothing', { id: 'event_id' }, 'OUTGROW_ADOPT_TABLE'],
    ['other.events', { id: 'event_id' }, 'OUTGROW_ADOPT_TABLE'],
    ['a.b.c', { id: 'event_id' }, 'OUTGROW_ADOPT_TABLE'],
    ['events; DROP TABLE events', { id: 'event_id' }, 'OUTGROW_ADOPT_TABLE'],
    ['"events', { id: 'event_id' }, 'OUTGROW_ADOPT_TABLE'],
  ])(
    'of the wrong table or column %s %j is refused before anything is made',
    async (table, columns, code) => {
      const app = await application(
        provider,
        `CREATE TABLE events (n integer PRIMARY KEY, event_id text); INSERT INTO events VALUES (1, 'evt_1')`,
      )
      await expect(adoptFrom(app, { table, columns })).rejects.toMatchObject({ code })
      await expect(app.rows('SELECT 1 FROM webhook_events')).rejects.toThrow(/webhook_events/)
      expect(await app.rows('SELECT n FROM events')).toEqual([{ n: 1 }])
      await app.drop()
    },
  )

  test('an empty table gives an empty inbox; ids that are none or another’s are counted', async () => {
    const app = await application(provider, 'CREATE TABLE events (id text)')
    const request = { table: 'events', columns: { id: 'id' } }
    expect(await adoptFrom(app, request)).toMatchObject({ created: true, rowsRead: 0 })
    await app.rows(
      "INSERT INTO events VALUES (NULL), (''), ('  '), ('WH-123'), ('ntf_1'), ('evt_1'), (' evt_1 ')",
    )
    expect(await adoptFrom(app, request)).toMatchObject({
      rowsRead: 7,
      withoutId: 3,
      otherProvider: 2,
      imported: { done: 1, pending: 0, dead: 0 },
      duplicateRows: 1,
    })
    await app.drop()
  })
})

describe('a table that cannot be read is refused before anything is made', () => {
  test('on SQLite: a view whose table is gone', async () => {
    const app = await application(
      'sqlite',
      'CREATE TABLE kept (id text); CREATE VIEW events AS SELECT id FROM kept; DROP TABLE kept',
    )
    await expect(adoptFrom(app, { table: 'events', columns: { id: 'id' } })).rejects.toMatchObject({
      code: 'OUTGROW_ADOPT_TABLE',
      message: expect.stringContaining('kept') as string,
    })
  })

  test('on Postgres: one that the user may not read, or not all of', async () => {
    const role = `reader_${process.pid}`
    const app = await application(
      'postgres',
      `CREATE TABLE secret (id text); CREATE TABLE mine (id text); ALTER TABLE mine ENABLE ROW LEVEL SECURITY;
       CREATE ROLE ${role} LOGIN PASSWORD 'reader'; GRANT SELECT ON mine TO ${role}; GRANT ALL ON SCHEMA public TO ${role}`,
    )
    const url = new URL(app.url)
    url.username = role
    url.password = 'reader'
    for (const table of ['secret', 'mine'])
      await expect(adoptFrom({ url: url.href }, { table, columns: { id: 'id' } })).rejects.toMatchObject({
        code: 'OUTGROW_ADOPT_TABLE',
        message: expect.stringContaining(`The table ${table} cannot be read`) as string,
      })
    expect(await app.rows("SELECT 1 FROM pg_class WHERE relname = 'webhook_events'")).toEqual([])
    await app.rows(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    await app.drop()
  })
})
