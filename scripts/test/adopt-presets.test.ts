import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { presets, type Adoption } from '@outgrow/billing/adopt'
import { describe, expect, test } from 'vitest'
import { adoptInboxCommand } from '../src/commands/billing/adopt-inbox.ts'
import { adoptFrom, application, eventText, literal, type Provider } from './adopting.ts'

const real = (id: string) => literal(eventText(id))

interface Case {
  preset: string
  /** Which of its versions. */
  version: string
  provider: Provider
  /** Its own tables, as its migrations make them, with rows. */
  sql: string
  counts: Partial<Adoption>
  statuses: Record<string, string>
}

const none = { invalid: 0, otherProvider: 0, withoutId: 0, duplicateRows: 0 }

const djStripe = (provider: Provider): Case => {
  const [id, json, time] =
    provider === 'sqlite'
      ? ['integer NOT NULL PRIMARY KEY AUTOINCREMENT', 'text', 'datetime']
      : ['bigserial PRIMARY KEY', 'jsonb', 'timestamptz']
  const [yes, no] = provider === 'sqlite' ? ['1', '0'] : ['true', 'false']
  const row = (body: string, valid: string, processed: string) =>
    `INSERT INTO djstripe_webhookeventtrigger (remote_ip, headers, body, valid, processed, exception, traceback, djstripe_version, created, updated)
     VALUES ('10.0.0.1', '{}', ${body}, ${valid}, ${processed}, '', '', '2.9', '2026-01-02 03:04:05', '2026-01-02 03:04:05');`
  return {
    preset: 'dj-stripe',
    version: '2 and 3',
    provider,
    sql: `CREATE TABLE djstripe_webhookeventtrigger (id ${id}, remote_ip ${provider === 'sqlite' ? 'char(39)' : 'inet'} NOT NULL,
        headers ${json} NOT NULL, body text NOT NULL, valid ${provider === 'sqlite' ? 'bool' : 'boolean'} NOT NULL, processed ${provider === 'sqlite' ? 'bool' : 'boolean'} NOT NULL,
        exception varchar(128) NOT NULL, traceback text NOT NULL, event_id bigint, djstripe_version varchar(32) NOT NULL,
        created ${time} NOT NULL, updated ${time} NOT NULL, stripe_trigger_account_id varchar(255), webhook_endpoint_id bigint);
      ${row(real('evt_processed'), yes, yes)}
      ${row(real('evt_waiting'), yes, no)}
      ${row(real('evt_forged'), no, no)}
      ${row(real('evt_processed'), no, no)}
      ${row("'(error decoding body)'", no, no)}
      ${row(real('evt_waiting'), yes, no)}`,
    counts: {
      ...none,
      rowsRead: 6,
      imported: { done: 1, pending: 1, dead: 0 },
      invalid: 3,
      duplicateRows: 1,
    },
    statuses: { evt_processed: 'done', evt_waiting: 'pending' },
  }
}

const pay = (provider: Provider): Case => {
  const [id, json] =
    provider === 'sqlite'
      ? ['integer PRIMARY KEY AUTOINCREMENT', 'json']
      : ['uuid PRIMARY KEY DEFAULT gen_random_uuid()', 'jsonb']
  const row = (processor: string, type: string, event: string) =>
    `INSERT INTO pay_webhooks (processor, event_type, event, created_at, updated_at) VALUES ('${processor}', '${type}', ${event}, '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05.678901');`
  return {
    preset: 'pay',
    version: 'all',
    provider,
    sql: `CREATE TABLE pay_webhooks (id ${id}, processor varchar, event_type varchar, event ${json}, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
      ${row('stripe', 'invoice.paid', real('evt_1'))}
      ${row('stripe', 'payout.paid', literal(eventText('evt_2', { type: 'payout.paid' })))}
      ${row('paddle_billing', 'transaction.completed', `'{"event_id": "evt_01hv", "event_type": "transaction.completed"}'`)}
      ${row('braintree', 'subscription_canceled', `'{"bt_signature": "x", "bt_payload": "y"}'`)}
      ${row('stripe', 'invoice.paid', `'{"id": "WH-2WR", "event_type": "PAYMENT.SALE"}'`)}`,
    counts: {
      ...none,
      rowsRead: 5,
      imported: { done: 1, pending: 1, dead: 0 },
      otherProvider: 3,
    },
    statuses: { evt_1: 'pending', evt_2: 'ignored' },
  }
}

const spatie = (provider: Provider, version: '1' | '3'): Case => {
  const [id, json, time] =
    provider === 'sqlite'
      ? ['integer primary key autoincrement not null', 'text', 'datetime']
      : ['bigserial primary key', 'json', 'timestamp(0)']
  const first = version === '1'
  const table = first ? 'stripe_webhook_calls' : 'webhook_calls'
  const row = (name: string, payload: string, exception = 'NULL') =>
    first
      ? `INSERT INTO ${table} (type, payload, exception, created_at) VALUES ('x', ${payload}, ${exception}, '2026-01-02 03:04:05');`
      : `INSERT INTO ${table} (name, url, headers, payload, exception, created_at) VALUES ('${name}', 'https://shop.test/hook', '{}', ${payload}, ${exception}, '2026-01-02 03:04:05');`
  return {
    preset: 'spatie',
    version,
    provider,
    sql: `CREATE TABLE ${table} (id ${id}, ${first ? 'type varchar(255), payload text' : `name varchar(255) not null, url varchar(512) not null, headers ${json}, payload ${json}`}, exception text, created_at ${time}, updated_at ${time});
      ${row('stripe', real('evt_1'))}
      ${row('stripe', real('evt_2'), `'{"code":0,"message":"no"}'`)}
      ${first ? '' : row('mailcoach', `'{"Type": "Notification"}'`)}
      ${row('stripe', 'NULL')}`,
    counts: {
      ...none,
      rowsRead: first ? 3 : 4,
      imported: { done: 0, pending: 2, dead: 0 },
      otherProvider: first ? 0 : 1,
      withoutId: 1,
    },
    statuses: { evt_1: 'pending', evt_2: 'pending' },
  }
}

const syncEngine = (version: string, columns: string, values: string): Case => ({
  preset: 'stripe-sync-engine',
  version,
  provider: 'postgres',
  sql: `CREATE SCHEMA stripe; CREATE TABLE stripe.events (${columns}); INSERT INTO stripe.events ${values}`,
  counts: { ...none, rowsRead: 1, imported: { done: 0, pending: 1, dead: 0 } },
  statuses: { evt_1: 'pending' },
})

const cases: Case[] = [
  djStripe('sqlite'),
  djStripe('postgres'),
  pay('sqlite'),
  pay('postgres'),
  spatie('sqlite', '1'),
  spatie('postgres', '1'),
  spatie('sqlite', '3'),
  spatie('postgres', '3'),
  syncEngine(
    '0.1',
    'id text primary key, object text, data jsonb, type text, created integer, request text, updated integer, livemode boolean, api_version text, pending_webhooks bigint',
    `VALUES ('evt_1', 'event', '{"object": {"id": "in_1", "object": "invoice", "customer": "cus_1"}}', 'invoice.paid', 1700000000, NULL, NULL, true, '2025-03-31.basil', 1)`,
  ),
  syncEngine(
    'with raw_data',
    `id text primary key, raw_data jsonb, type text GENERATED ALWAYS AS ((raw_data->>'type')::text) STORED`,
    `(id, raw_data) VALUES ('evt_1', ${real('evt_1')})`,
  ),
  syncEngine(
    'with _id',
    `_id text primary key, _raw_data jsonb, type text GENERATED ALWAYS AS ((_raw_data->>'type')::text) STORED`,
    `(_id, _raw_data) VALUES ('evt_1', ${real('evt_1')})`,
  ),
  syncEngine(
    'with a generated id',
    `_raw_data jsonb, id text GENERATED ALWAYS AS ((_raw_data->>'id')::text) STORED PRIMARY KEY, data jsonb GENERATED ALWAYS AS (_raw_data->'data') STORED`,
    `(_raw_data) VALUES (${real('evt_1')})`,
  ),
]

test.each(cases)('the preset $preset reads version $version on $provider', async (one) => {
  const app = await application(one.provider, one.sql)
  const dry = await adoptFrom(app, { preset: one.preset }, { dryRun: true })
  expect(dry).toMatchObject(one.counts)
  expect(await adoptFrom(app, { preset: one.preset })).toEqual(dry)
  const rows = await app.rows(
    'SELECT stripe_event_id AS id, status, customer_id, livemode, api_version, stripe_created_at AS created FROM webhook_events ORDER BY stripe_event_id',
  )
  expect(Object.fromEntries(rows.map(({ id, status }) => [id, status]))).toEqual(one.statuses)
  for (const row of rows) {
    expect(row).toMatchObject({ customer_id: 'cus_1', api_version: '2025-03-31.basil' })
    expect(Boolean(row.livemode)).toBe(true)
    expect(new Date(row.created as string).getTime()).toBe(1_700_000_000_000)
  }
  await app.drop()
})

describe('a preset', () => {
  test('is tried by each of these cases, or has nothing to read', () => {
    const tried = new Set(cases.map(({ preset }) => preset))
    expect(presets.filter(({ shapes }) => shapes.length > 0).map(({ name }) => name)).toEqual([...tried])
    const option = adoptInboxCommand.options.find(({ long }) => long === '--preset')
    expect(option?.description).toContain(presets.map(({ name }) => name).join(', '))
    const docs = readFileSync(join(import.meta.dirname, '../../docs/billing.md'), 'utf8')
    for (const { name } of presets) expect(docs).toContain(`| \`${name}\``)
  })

  test('that is unknown lists those that are there; Cashier’s says that it has no table', async () => {
    const app = await application('sqlite', 'CREATE TABLE users (id integer)')
    await expect(adoptFrom(app, { preset: 'rails' })).rejects.toMatchObject({
      code: 'OUTGROW_ADOPT_PRESET',
      fix: expect.stringContaining('cashier, dj-stripe, pay, spatie, stripe-sync-engine') as string,
    })
    await expect(adoptFrom(app, { preset: 'cashier' })).rejects.toMatchObject({
      code: 'OUTGROW_ADOPT_PRESET',
      message: expect.stringContaining('stores no events') as string,
      fix: expect.stringContaining('billing reconcile') as string,
    })
    await expect(adoptFrom(app, { preset: 'pay' })).rejects.toMatchObject({
      code: 'OUTGROW_ADOPT_TABLE',
      message: 'There is no table pay_webhooks.',
    })
    await expect(app.rows('SELECT 1 FROM webhook_events')).rejects.toThrow(/webhook_events/)
  })

  test('reads a table of another name, and columns that are named otherwise', async () => {
    const app = await application(
      'sqlite',
      `CREATE TABLE hooks (id integer PRIMARY KEY, processor text, event_type text, event text, at text);
       INSERT INTO hooks VALUES (1, 'stripe', 'invoice.paid', ${real('evt_1')}, '2026-01-02 03:04:05')`,
    )
    const request = { preset: 'pay', table: 'hooks', columns: { received: 'at' } }
    expect((await adoptFrom(app, request)).imported).toEqual({ done: 0, pending: 1, dead: 0 })
    expect(await app.rows('SELECT received_at FROM webhook_events')).toEqual([
      { received_at: '2026-01-02T03:04:05.000+00:00' },
    ])
  })
})
