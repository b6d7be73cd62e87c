import { createRequire } from 'node:module'
import { withPostgres } from '@outgrow/databases'
import { secret } from '../../chaos/arena.ts'
import { makeDeliveries, makeFake } from './deliveries.ts'
import { measureIntake, type Intake } from './intake.ts'

// Its build for `import` looks for `__dirname`, finds none, and runs no migration without saying so.
const { runMigrations, StripeSync } = createRequire(import.meta.url)(
  '@supabase/stripe-sync-engine',
) as typeof import('@supabase/stripe-sync-engine')

export interface EngineFigures {
  intake: Intake
  wrong: number
  subscriptions: number
}

/** @supabase/stripe-sync-engine on the same server with the same signed events; it believes their payloads. */
export async function benchEngine(url: string, total: number, rounds: number): Promise<EngineFigures> {
  await runMigrations({ databaseUrl: url, schema: 'stripe' })
  const engine = new StripeSync({
    poolConfig: { connectionString: url, max: 10 },
    stripeSecretKey: 'sk_test_bench',
    stripeWebhookSecret: secret,
    backfillRelatedEntities: false,
    autoExpandLists: false,
  })
  const fake = makeFake('engine')
  const customers: string[] = []
  for (let at = 0; at < 100; at++) {
    const answer = await fake.fetch('http://stripe.fake/v1/customers', {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test_x', 'stripe-version': '2026-10-28.endive' },
    })
    customers.push(((await answer.json()) as { id: string }).id)
  }
  const intake = await measureIntake(makeDeliveries(fake, customers, total, 1), rounds, {
    clear: () =>
      withPostgres(url, (client) =>
        client.query('TRUNCATE stripe.subscriptions, stripe.subscription_items, stripe.invoices'),
      ),
    arrive: ({ body, signature }) => ({ bytes: Buffer.from(body), signature }),
    answer: ({ bytes, signature }) =>
      engine.processWebhook(bytes, signature).then(
        () => true,
        () => false,
      ),
  })
  const { rows } = await withPostgres(url, (client) =>
    client.query<{ id: string; status: string }>('SELECT id, status::text FROM stripe.subscriptions'),
  )
  await engine.postgresClient.pool.end()
  const all = [...fake.store.subscriptions.values()]
  const wrong = all.filter(
    ({ object }) => rows.find(({ id }) => id === object.id)?.status !== object.status,
  ).length
  return { intake, wrong, subscriptions: all.length }
}
