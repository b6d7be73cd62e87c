import { temporaryFolder } from '@outgrow/testing'
import { beforeEach, describe, expect, inject, test } from 'vitest'
import { globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Adoption } from '@outgrow/billing/adopt'
import { fragmentTables, inboxBlocks, type inboxNames } from '@outgrow/billing/models'
import {
  deployMigrations,
  diffDatamodels,
  migrationStatus,
  readSchemaSource,
  validatePrismaSchema,
} from '@outgrow/schema'
import { inboxDdl } from '../src/billing/adopt-into-database.ts'
import { outgrow } from '@outgrow/testing/cli'
import { adoptInto, application, eventText, type Application } from './adopting.ts'

const event = (id: string, type = 'invoice.paid') => eventText(id, { type })

describe.each(['sqlite', 'postgres'] as const)('adopting the inbox on %s', (provider) => {
  test('an application without one gets it, and a second run changes nothing', async () => {
    const app = await application(provider, 'CREATE TABLE users (id integer)')
    const dry = await adoptInto(app, {}, {}, true)
    expect(dry.adoption).toMatchObject({ created: true, rowsRead: 0 })
    await expect(app.rows('SELECT * FROM webhook_events')).rejects.toThrow(/webhook_events/)
    expect((await adoptInto(app, {})).adoption.created).toBe(true)
    expect((await adoptInto(app, {})).adoption.created).toBe(false)
    await app.drop()
  })

  test('a table without a unique key and full of repeats becomes one row an event', async () => {
    const app = await application(
      provider,
      `CREATE TABLE stripe_events (event_id text, body text, processed integer);
       INSERT INTO stripe_events VALUES ('evt_1', '${event('evt_1')}', 0), ('evt_1', '${event('evt_1')}', 1), ('evt_1', '${event('evt_1')}', 0),
         ('evt_2', '${event('evt_2')}', 0), ('evt_2', '${event('evt_2')}', NULL), ('evt_3', '${event('evt_3', 'payout.paid')}', 0), (NULL, 'x', 0), ('evt_4', NULL, 0), ('evt_5', '{bad', 0), ('evt_6', '${event('evt_7')}', 0), ('evt_8', '{bad', 1)`,
    )
    const request = {
      table: 'stripe_events',
      columns: { id: 'event_id', payload: 'body', done: 'processed' },
    }
    const { adoption, hasLeftovers } = await adoptInto(app, {}, request)
    expect(hasLeftovers).toBe(true)
    expect(adoption).toMatchObject({
      rowsRead: 11,
      imported: { done: 3, pending: 1, dead: 3 },
      duplicateRows: 3,
      duplicateEvents: 2,
      withoutId: 1,
    })
    expect(adoption.duplicates.toSorted((a, b) => a.rows - b.rows)).toEqual([
      { id: 'evt_2', rows: 2 },
      { id: 'evt_1', rows: 3 },
    ])
    expect(
      await app.rows(
        'SELECT stripe_event_id, status, customer_id FROM webhook_events ORDER BY stripe_event_id',
      ),
    ).toEqual([
      { stripe_event_id: 'evt_1', status: 'done', customer_id: 'cus_1' },
      { stripe_event_id: 'evt_2', status: 'pending', customer_id: 'cus_1' },
      { stripe_event_id: 'evt_3', status: 'ignored', customer_id: 'cus_1' },
      { stripe_event_id: 'evt_4', status: 'dead', customer_id: null },
      { stripe_event_id: 'evt_5', status: 'dead', customer_id: null },
      { stripe_event_id: 'evt_6', status: 'dead', customer_id: 'cus_1' },
      { stripe_event_id: 'evt_8', status: 'done', customer_id: null },
    ])
    const [{ last_error: reason } = {}] = await app.rows(
      "SELECT last_error FROM webhook_events WHERE stripe_event_id = 'evt_6'",
    )
    expect(reason).toBe('The payload that was stored is that of evt_7.')
    expect((await adoptInto(app, {}, request)).adoption).toMatchObject({
      imported: { done: 0, pending: 0, dead: 0 },
      known: 7,
    })
    await app.drop()
  })

  test('a table that has the inbox’s name stays the application’s own: the inbox gets a prefix', async () => {
    const app = await application(
      provider,
      `CREATE TABLE webhook_events (id integer PRIMARY KEY, data ${provider === 'postgres' ? 'json' : 'text'}); CREATE INDEX webhook_events_data ON webhook_events (id);
       ${provider === 'postgres' ? "CREATE TYPE event_status AS ENUM ('a');" : ''}
       INSERT INTO webhook_events VALUES (1, '${event('evt_1')}'), (2, '${event('evt_1')}'), (3, '${event('evt_2')}')`,
    )
    const { adoption } = await adoptInto(app, {}, { table: 'webhook_events', columns: { payload: 'data' } })
    expect(adoption).toMatchObject({
      inbox: 'billing_webhook_events',
      imported: { pending: 2 },
      duplicateRows: 1,
    })
    expect(await app.rows('SELECT id FROM webhook_events ORDER BY id')).toEqual([
      { id: 1 },
      { id: 2 },
      { id: 3 },
    ])
    expect((await adoptInto(app, {})).adoption).toMatchObject({
      inbox: 'billing_webhook_events',
      created: false,
    })
    await app.drop()
  })
})

test('the command says what was refused, what was taken, and what comes next', async () => {
  const app = await application(
    'sqlite',
    `CREATE TABLE hooks (event_id text, body text); INSERT INTO hooks VALUES ('evt_1', '${event('evt_1')}'), ('evt_2', 'bad')`,
  )
  const adopt = (column: string) =>
    outgrow<{ adoption: Adoption | null; next: string[]; error: { code: string } | null }>(
      ['billing', 'adopt-inbox', '--database', app.url, '--table', 'hooks'].concat([
        '--column',
        column,
        '--payload',
        'body',
      ]),
    )
  const wrong = await adopt('nope')
  expect([wrong.code, wrong.document.error?.code]).toEqual([2, 'OUTGROW_ADOPT_TABLE'])
  const { code, document, stderr } = await adopt('event_id')
  expect([code, document.adoption?.imported]).toEqual([4, { done: 0, pending: 1, dead: 1 }])
  expect(stderr).toContain('1 events cannot be processed')
  expect(document.next.at(-1)).toContain('once the application no longer writes to hooks')
})

describe('the project’s schema', () => {
  const start = (provider: string) => `datasource db {\n  provider = "${provider}"\n}\n`
  const users = 'model User {\n  id Int @id\n}\n'
  let app: Application
  beforeEach(async () => {
    app = await application('sqlite', 'CREATE TABLE "User" (id integer NOT NULL PRIMARY KEY)')
  })
  const fileOf = (text: string) => {
    const file = join(temporaryFolder(), 'schema.prisma')
    writeFileSync(file, text)
    return file
  }

  test('of one file gets the model at its end, once', async () => {
    const text = `${start('sqlite')}\n${users}`
    const schema = fileOf(text)
    expect((await adoptInto(app, { schema }, {}, true)).planned?.written).toBeDefined()
    expect(readdirSync(dirname(schema))).toEqual(['schema.prisma'])
    expect(readFileSync(schema, 'utf8')).toBe(text)
    await adoptInto(app, { schema })
    const once = readFileSync(schema, 'utf8')
    expect(once.startsWith(`${start('sqlite')}\n${users}\nenum EventStatus {`)).toBe(true)
    validatePrismaSchema([['schema.prisma', once]])
    expect((await adoptInto(app, { schema })).planned?.written).toBeUndefined()
    expect(readFileSync(schema, 'utf8')).toBe(once)
  })

  test.each([
    ['sqlite', /stripeEventId +String +@unique/],
    ['postgresql', /receivedAt +DateTime +@default\(now\(\)\) +@map\("received_at"\) @db\.Timestamptz\(3\)/],
  ])('that is a folder, for %s, gets a file more', async (provider, line) => {
    const schema = join(temporaryFolder(), 'schema')
    mkdirSync(schema)
    writeFileSync(join(schema, 'main.prisma'), start(provider))
    writeFileSync(join(schema, 'users.prisma'), users)
    await adoptInto(app, { schema })
    expect(readdirSync(schema)).toEqual(['billing.prisma', 'main.prisma', 'users.prisma'])
    const added = readFileSync(join(schema, 'billing.prisma'), 'utf8')
    expect(added).toMatch(line)
    validatePrismaSchema([
      ['main.prisma', start(provider)],
      ['users.prisma', users],
      ['billing.prisma', added],
    ])
    await adoptInto(app, { schema })
    expect(readFileSync(join(schema, 'billing.prisma'), 'utf8')).toBe(added)
  })

  test.each([
    ['an enum', 'sqlite', 'enum EventStatus {\n  A\n  B\n}\n'],
    ['a type of that name', 'postgresql', 'enum Other {\n  A\n\n  @@map("event_status")\n}\n'],
  ])('keeps %s that is its own', async (_, provider, own) => {
    const schema = fileOf(`${start(provider)}\n${own}\n${users}`)
    await adoptInto(app, { schema })
    const text = readFileSync(schema, 'utf8')
    expect(text).toMatch(/enum BillingEventStatus \{/)
    expect(text).toMatch(/status +BillingEventStatus/)
    validatePrismaSchema([['schema.prisma', text]])
  })

  test('that has both names is refused, unless another prefix is named', async () => {
    const schema = fileOf(
      `${start('sqlite')}\nenum EventStatus {\n  A\n}\n\nenum BillingEventStatus {\n  A\n}\n\n${users}`,
    )
    await expect(adoptInto(app, { schema })).rejects.toMatchObject({ code: 'OUTGROW_BILLING_NAMES' })
    await expect(app.rows('SELECT * FROM webhook_events')).rejects.toThrow(/webhook_events/)
    await adoptInto(app, { schema, prefix: 'Pay' })
    expect(readFileSync(schema, 'utf8')).toMatch(/enum PayEventStatus \{/)
  })

  test('that cannot be written leaves the database and every file as they were', async () => {
    const schema = join(temporaryFolder(), 'schema')
    mkdirSync(schema)
    writeFileSync(join(schema, 'main.prisma'), `${start('sqlite')}\n${users}`)
    mkdirSync(join(schema, 'billing.prisma')) // nobody writes a file there, not even root
    await expect(adoptInto(app, { schema })).rejects.toThrow(/EISDIR/)
    await expect(app.rows('SELECT * FROM webhook_events')).rejects.toThrow(/webhook_events/)
    expect(globSync('**/*.*', { cwd: dirname(schema) }).toSorted()).toEqual([
      'schema/billing.prisma',
      'schema/main.prisma',
    ])
  })

  test('whose tables the database refuses leaves every file as it was', async () => {
    const schema = fileOf(`${start('postgresql')}\n${users}`)
    const other = await application('postgres', 'CREATE TABLE things (id integer)')
    const adopting = adoptInto(other, { schema, account: 'User' })
    await expect(adopting).rejects.toMatchObject({
      code: 'OUTGROW_ADOPT_DATABASE',
      message: expect.stringContaining('"User" does not exist') as string,
    })
    expect(globSync('**/*.*', { cwd: dirname(schema) })).toEqual(['schema.prisma'])
    expect(readFileSync(schema, 'utf8')).toBe(`${start('postgresql')}\n${users}`)
    expect(await other.rows("SELECT 1 FROM pg_class WHERE relname = 'webhook_events'")).toEqual([])
    await other.drop()
  })

  test('that is not there is said before the database is changed', async () => {
    const schema = join(temporaryFolder(), 'none.prisma')
    await expect(adoptInto(app, { schema })).rejects.toMatchObject({ code: 'OUTGROW_SCHEMA_NOT_FOUND' })
    await expect(app.rows('SELECT * FROM webhook_events')).rejects.toThrow(/webhook_events/)
  })
})

describe.each(['sqlite', 'postgres'] as const)(
  'an inbox that was made without a schema, on %s',
  (provider) => {
    test('is the one of the project that gets it later', async () => {
      const folder = temporaryFolder()
      const schema = join(folder, 'schema.prisma')
      const written = provider === 'sqlite' ? 'sqlite' : 'postgresql'
      const text = `datasource db {\n  provider = "${written}"\n}\n\nmodel User {\n  id Int @id @default(autoincrement())\n}\n`
      writeFileSync(schema, text)
      const first = join(folder, 'migrations/20250101000000_init')
      mkdirSync(first, { recursive: true })
      writeFileSync(join(first, 'migration.sql'), await diffDatamodels(provider, undefined, text))
      writeFileSync(join(folder, 'migrations/migration_lock.toml'), `provider = "${written}"\n`)
      const app = await application(provider, 'SELECT 1')
      await deployMigrations(readSchemaSource(schema), app.url)
      await app.rows('CREATE TABLE hooks (id text)')
      await app.rows("INSERT INTO hooks VALUES ('evt_1')")
      const events = { table: 'hooks', columns: { id: 'id' } }
      expect((await adoptInto(app, {}, events)).adoption.imported.done).toBe(1)
      const { adoption } = await adoptInto(app, { schema, account: 'User' }, events)
      expect(adoption).toMatchObject({ inbox: 'webhook_events', created: false, known: 1 })
      expect(await app.rows('SELECT stripe_event_id AS id FROM webhook_events')).toEqual([{ id: 'evt_1' }])
      expect(await app.rows('SELECT account_id FROM billing_customers')).toEqual([])
      const status = await migrationStatus(readSchemaSource(schema), provider, app.url, {
        server: inject('postgresUrl'),
        directory: folder,
      })
      // Only the application's own table is not of its migrations.
      expect(status).toMatchObject({ pending: [], failed: [], edited: [] })
      expect(status.drift?.filter((line) => !line.includes('hooks'))).toEqual([])
      await app.drop()
    })
  },
)

test('a project that only Postgres can be of gets a migration for Postgres alone', async () => {
  const folder = temporaryFolder()
  const schema = join(folder, 'prisma/schema.prisma')
  const text = `datasource db {\n  provider = "postgresql"\n}\n\nmodel Page {\n  id Int @id\n  words Unsupported("tsvector")\n}\n`
  const first = join(folder, 'prisma/migrations/20250101000000_init')
  mkdirSync(first, { recursive: true })
  writeFileSync(schema, text)
  writeFileSync(join(first, 'migration.sql'), await diffDatamodels('postgres', undefined, text))
  writeFileSync(join(folder, 'prisma/migrations/migration_lock.toml'), 'provider = "postgresql"\n')
  const app = await application('postgres', 'SELECT 1')
  await deployMigrations(readSchemaSource(schema), app.url)
  expect((await adoptInto(app, { schema, account: 'Page' })).adoption.created).toBe(true)
  expect(readdirSync(join(folder, 'prisma')).toSorted()).toEqual(['migrations', 'schema.prisma'])
  expect(readdirSync(join(folder, 'prisma/migrations'))).toHaveLength(3)
  const state = await migrationStatus(readSchemaSource(schema), 'postgres', app.url, {
    server: inject('postgresUrl'),
    directory: folder,
  })
  expect(state).toMatchObject({ pending: [], failed: [], edited: [], drift: [] })
  await app.drop()
})

test('the inbox that is adopted is the product’s own', async () => {
  const own = readFileSync(join(import.meta.dirname, '../../prisma/schema/billing.prisma'), 'utf8')
  const named = (name: (typeof inboxNames)[number]) => ({ name, table: fragmentTables[name], isThere: false })
  const names = { EventStatus: named('EventStatus'), WebhookEvent: named('WebhookEvent') }
  const ours = inboxBlocks({ names, time: '' })
  const block = (name: string, text: string) =>
    new RegExp(`^(model|enum) ${name} \\{[^}]*\\}`, 'm').exec(text)?.[0].replaceAll(/\s+/g, ' ')
  expect(block('EventStatus', ours.EventStatus)).toBe(block('EventStatus', own))
  expect(block('WebhookEvent', ours.WebhookEvent)).toBe(block('WebhookEvent', own))
  expect(await inboxDdl('postgres', names)).toContain('TIMESTAMPTZ(3)')
})
