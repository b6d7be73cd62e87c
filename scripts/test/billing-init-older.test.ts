import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite, withPostgres } from '@outgrow/databases'
import { deployMigrations, diffDatamodels, readSchemaSource, schemaSourceOf } from '@outgrow/schema'
import { makeDatabase, makeSqlite, temporaryFolder } from '@outgrow/testing'
import { outgrow } from '@outgrow/testing/cli'
import { expect, inject, test } from 'vitest'
import { planFragment } from '../src/billing/plan-fragment.ts'

const start = (provider: string) =>
  `datasource db {\n  provider = "${provider}"\n}\n\nmodel User {\n  id Int @id\n}\n`

/** A schema as an earlier version of billing made it: without what came later, and one key the other way round. */
function olderSchema(provider: string): { older: string; whole: string } {
  const source = schemaSourceOf(start(provider))
  const whole = planFragment({ source, account: 'User', prefix: 'Billing' }).added?.source.files[0]?.[1] ?? ''
  const older = whole
    .replaceAll(/^ *@@index.*\n|^ *(PAUSED|TRIALING|skipped) .*\n|^ *\/\/\/ Why it was settled.*\n/gm, '')
    .replace(/(stripePriceId +String\?) +@unique/, '$1')
    .replace('@@id([accountId, feature])', '@@id([feature, accountId])')
  return { older, whole }
}

/** Lines of the blocks, whatever order they are in. */
const linesOf = (text: string) =>
  text
    .split('\n')
    .map((line) => line.replaceAll(/\s+/g, ' ').trim())
    .filter((line) => line !== '')
    .toSorted()

const added = [
  'CREATE UNIQUE INDEX "plans_stripe_price_id_key" ON "plans"("stripe_price_id")',
  'CREATE UNIQUE INDEX "entitlements_account_id_feature_key" ON "entitlements"("account_id", "feature")',
  'CREATE INDEX "webhook_events_status_next_attempt_at_idx" ON "webhook_events"("status", "next_attempt_at")',
  'CREATE INDEX "subscription_items_subscription_id_idx" ON "subscription_items"("subscription_id")',
]

test.each(['sqlite', 'postgres'] as const)(
  'models of an earlier version get the fields, keys, indexes and values that they lack, on %s',
  async (provider) => {
    const home = temporaryFolder()
    const written = provider === 'sqlite' ? 'sqlite' : 'postgresql'
    const { older, whole } = olderSchema(written)
    const schema = join(home, 'prisma/schema.prisma')
    const first = join(home, 'prisma/migrations/20250101000000_init')
    mkdirSync(first, { recursive: true })
    writeFileSync(schema, older)
    writeFileSync(join(first, 'migration.sql'), await diffDatamodels(provider, undefined, older))
    writeFileSync(join(home, 'prisma/migrations/migration_lock.toml'), `provider = "${written}"\n`)
    const made = provider === 'sqlite' ? undefined : await makeDatabase(inject('postgresUrl'))
    const path = made === undefined ? makeSqlite('SELECT 1') : ''
    const url = made?.url ?? `file:${path}`
    await deployMigrations(readSchemaSource(schema), url)
    const rows = `INSERT INTO "User" (id) VALUES (1);
      INSERT INTO plans (id, name, price, features, stripe_price_id) VALUES ('pro', 'Pro', 1, '{}', 'price_1');
      INSERT INTO entitlements (account_id, feature) VALUES (1, 'seats'), (1, 'sso')`
    const run = async (sql: string) => {
      if (made) return (await withPostgres(url, (client) => client.query<Record<string, unknown>>(sql))).rows
      const file = openSqlite(path)
      try {
        if (sql.startsWith('SELECT')) return file.prepare(sql).all() as Record<string, unknown>[]
        file.exec(sql)
        return []
      } finally {
        file.close()
      }
    }
    await run(rows)
    const init = () =>
      outgrow<{ error: { code: string } | null; migrations: unknown[] }>(
        ['billing', 'init', '--account', 'User', '--shadow', inject('postgresUrl')],
        {},
        home,
      )
    const { code, document } = await init()
    expect([code, document.error, document.migrations.length]).toEqual([0, null, 2])
    const text = readFileSync(schema, 'utf8')
    // The keys are at the end of their model, which means the same.
    const unique = (line: string) =>
      line === '@@unique([stripePriceId])' || line === '@@unique([accountId, feature])'
    expect(linesOf(text).filter((line) => !unique(line))).toEqual(
      linesOf(
        whole
          .replace(/(stripePriceId +String\?) +@unique/, '$1')
          .replace('@@id([accountId, feature])', '@@id([feature, accountId])'),
      ),
    )
    expect(linesOf(text).filter(unique)).toHaveLength(2)
    await deployMigrations(readSchemaSource(schema), url)
    const indexes = await run(
      provider === 'sqlite'
        ? "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
        : "SELECT replace(replace(replace(indexdef, ' USING btree ', ''), 'public.', ''), '\"', '') AS sql FROM pg_indexes WHERE schemaname = 'public'",
    )
    const bare = (sql: unknown) => String(sql).replaceAll('"', '').replaceAll(/\s*\(/g, '(')
    expect(indexes.map(({ sql }) => bare(sql))).toEqual(expect.arrayContaining(added.map(bare)))
    expect(await run('SELECT count(*) AS n FROM entitlements')).toMatchObject([
      { n: expect.anything() as unknown },
    ])
    const type = made ? '::subscription_status' : ''
    expect(await run(`SELECT 'paused'${type} AS s`)).toEqual([{ s: 'paused' }])
    const again = await init()
    expect([again.code, again.document.error?.code]).toEqual([2, 'OUTGROW_BILLING_THERE'])
    await made?.drop()
  },
)
