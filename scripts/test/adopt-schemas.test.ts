import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  deployMigrations,
  diffDatamodels,
  migrationStatus,
  readSchemaSource,
  schemaSourceOf,
} from '@outgrow/schema'
import { temporaryFolder } from '@outgrow/testing'
import { describe, expect, inject, test } from 'vitest'
import { planFragment } from '../src/billing/plan-fragment.ts'
import { hasPgbouncer, makePooledDatabase } from '@outgrow/testing/pooler'
import { withPostgres } from '@outgrow/databases'
import { adoptInto, application, eventText, literal } from './adopting.ts'

const hooks = (schema: string) =>
  `CREATE TABLE ${schema}.hooks (id text PRIMARY KEY, body text);
   INSERT INTO ${schema}.hooks VALUES ('evt_${schema}', ${literal(eventText(`evt_${schema}`))})`
const request = { table: 'hooks', columns: { id: 'id', payload: 'body' } }
const inboxes = `SELECT n.nspname AS schema FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relname = 'webhook_events' ORDER BY 1`

/** The database with another schema in its URL, or another user. */
function urlWith(url: string, more: { schema?: string; user?: string }): string {
  const changed = new URL(url)
  if (more.schema !== undefined) changed.searchParams.set('schema', more.schema)
  if (more.user !== undefined) [changed.username, changed.password] = [more.user, 'secret']
  return changed.href
}

describe('the schema of the URL', () => {
  test('gets an inbox of its own beside another application’s', async () => {
    const app = await application('postgres', `${hooks('public')}; CREATE SCHEMA two; ${hooks('two')}`)
    const two = { url: urlWith(app.url, { schema: 'two' }) }
    expect((await adoptInto(app, {}, request)).adoption).toMatchObject({ created: true, rowsRead: 1 })
    expect((await adoptInto(two, {}, request, true)).adoption).toMatchObject({ created: true, known: 0 })
    expect((await adoptInto(two, {}, request)).adoption).toMatchObject({ created: true, known: 0 })
    expect((await adoptInto(two, {}, request)).adoption).toMatchObject({ created: false, known: 1 })
    expect(await app.rows('SELECT stripe_event_id AS id FROM public.webhook_events')).toEqual([
      { id: 'evt_public' },
    ])
    expect(await app.rows('SELECT stripe_event_id AS id FROM two.webhook_events')).toEqual([
      { id: 'evt_two' },
    ])
    await app.drop()
  })

  test('that is not there, or that the user may not use, is refused, and no other takes its place', async () => {
    const app = await application('postgres', `${hooks('public')}; CREATE SCHEMA closed`)
    await app.rows(`CREATE ROLE adopt_closed LOGIN PASSWORD 'secret'`)
    await app.rows('GRANT SELECT ON hooks TO adopt_closed')
    const none = { url: urlWith(app.url, { schema: 'none' }) }
    const closed = { url: urlWith(app.url, { schema: 'closed', user: 'adopt_closed' }) }
    for (const one of [none, closed])
      await expect(adoptInto(one, {}, request)).rejects.toMatchObject({ code: 'OUTGROW_ADOPT_DATABASE' })
    expect(await app.rows(inboxes)).toEqual([])
    await app.rows('DROP OWNED BY adopt_closed')
    await app.rows('DROP ROLE adopt_closed')
    await app.drop()
  })

  test('is enough to have rights in: none in the database are asked for', async () => {
    const app = await application('postgres', 'SELECT 1')
    await app.rows(`CREATE ROLE adopt_small LOGIN PASSWORD 'secret'`)
    await app.rows('GRANT USAGE, CREATE ON SCHEMA public TO adopt_small')
    const small = { url: urlWith(app.url, { user: 'adopt_small' }) }
    expect((await adoptInto(small, {})).adoption.created).toBe(true)
    await app.rows('DROP OWNED BY adopt_small')
    await app.rows('DROP ROLE adopt_small')
    await app.drop()
  })
})

test('a project of several schemas gets the models in the URL’s, and refers to the account in its own', async () => {
  const folder = temporaryFolder()
  const schema = join(folder, 'prisma/schema.prisma')
  const text = `datasource db {
  provider = "postgresql"
  schemas  = ["public", "auth"]
}

model User {
  id String @id @default(uuid()) @db.Uuid

  @@schema("auth")
}

model Subscription {
  id Int @id

  @@schema("public")
}
`
  const first = join(folder, 'prisma/migrations/20250101000000_init')
  mkdirSync(first, { recursive: true })
  writeFileSync(schema, text)
  writeFileSync(join(first, 'migration.sql'), await diffDatamodels('postgres', undefined, text))
  writeFileSync(join(folder, 'prisma/migrations/migration_lock.toml'), 'provider = "postgresql"\n')
  const app = await application('postgres', 'SELECT 1')
  await deployMigrations(readSchemaSource(schema), app.url)
  await app.rows(hooks('public'))
  const { adoption, planned } = await adoptInto(app, { schema, account: 'User' }, request)
  expect(adoption).toMatchObject({ created: true, imported: { pending: 1 } })
  expect(planned?.names.Subscription?.name).toBe('BillingSubscription')
  expect(await app.rows(inboxes)).toEqual([{ schema: 'public' }])
  const [key] = await app.rows(
    `SELECT confrelid::regclass::text AS refers FROM pg_constraint WHERE conname = 'billing_customers_account_id_fkey'`,
  )
  expect(key).toEqual({ refers: 'auth."User"' })
  const scratch = { server: inject('postgresUrl'), directory: folder }
  const status = await migrationStatus(readSchemaSource(schema), 'postgres', app.url, scratch)
  expect(status).toMatchObject({ pending: [], failed: [], edited: [] })
  expect((await adoptInto(app, { schema, account: 'User' }, request)).planned?.written).toBeUndefined()
  // Without a database, they go beside the account.
  const { added } = planFragment({ source: schemaSourceOf(text), account: 'User', prefix: 'Billing' })
  expect(added?.source.files[0]?.[1]).toMatch(/@@map\("webhook_events"\)\n *@@schema\("auth"\)/)
  await app.drop()
})

test.skipIf(!hasPgbouncer)(
  'a pooler in transaction mode is refused before any work, and its server is not (pgbouncer)',
  async () => {
    const pooled = await makePooledDatabase(inject('postgresUrl'))
    await withPostgres(pooled.directUrl, (client) => client.query(hooks('public')))
    await expect(adoptInto(pooled, {}, request)).rejects.toMatchObject({ code: 'OUTGROW_TARGET_POOLED' })
    await withPostgres(pooled.directUrl, async (client) =>
      expect((await client.query(inboxes)).rows).toEqual([]),
    )
    const direct = { url: pooled.directUrl }
    expect((await adoptInto(direct, {}, request)).adoption.imported.pending).toBe(1)
    await pooled.drop()
  },
)
