import type { Database } from '@outgrow/db'

/** What the database itself saw happen to rows that may no longer change. */
export interface Ledger {
  /** What has happened since it was last asked. */
  take(): Promise<Recorded>
}

interface Recorded {
  /** What was changed that may no longer change. */
  wrong: string[]
  /** Events that could not be processed, and why, by Stripe's ids: each that is named was told so. */
  failures: Map<string, string[]>
}

/** What no worker may do to a row, whatever its clock says: each is a condition on the row before and after. */
const rules = [
  {
    name: 'an event that had ended was taken up again',
    table: 'webhook_events',
    what: 'stripe_event_id',
    if: `CAST(OLD.status AS TEXT) IN ('done', 'ignored') AND CAST(NEW.status AS TEXT) NOT IN ('done', 'ignored')`,
  },
  {
    name: 'a message that was sent waits again',
    table: 'outbox_messages',
    what: 'key',
    if: 'OLD.sent_at IS NOT NULL AND NEW.sent_at IS NULL',
  },
  {
    name: 'an older answer of Stripe was written over a newer one',
    table: 'billing_customers',
    what: 'stripe_customer_id',
    if: 'NEW.applied_seq < OLD.applied_seq',
  },
  {
    name: 'a message got another key',
    table: 'outbox_messages',
    what: 'key',
    if: 'OLD.key <> NEW.key',
  },
]

/** Events that could not be processed, with what was written down of it. */
const failure = {
  name: 'failed',
  table: 'webhook_events',
  what: "stripe_event_id || ' ' || NEW.last_error",
  if: `NEW.last_error IS NOT NULL AND CAST(NEW.status AS TEXT) IN ('pending', 'dead') AND CAST(OLD.status AS TEXT) = 'processing'`,
}

/** Has the database write down itself what happens to its rows. */
export async function openLedger({ client, provider }: Database): Promise<Ledger> {
  await client.$executeRawUnsafe('CREATE TABLE chaos_ledger (what TEXT NOT NULL)')
  for (const [at, { name, table, what, if: condition }] of [...rules, failure].entries()) {
    const insert = `INSERT INTO chaos_ledger VALUES ('${name}: ' || NEW.${what});`
    if (provider === 'sqlite') {
      await client.$executeRawUnsafe(
        `CREATE TRIGGER chaos_${at} AFTER UPDATE ON ${table} WHEN ${condition} BEGIN ${insert} END`,
      )
      continue
    }
    await client.$executeRawUnsafe(
      `CREATE FUNCTION chaos_${at}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${insert} RETURN NULL; END $$`,
    )
    await client.$executeRawUnsafe(
      `CREATE TRIGGER chaos_${at} AFTER UPDATE ON ${table} FOR EACH ROW WHEN (${condition}) EXECUTE FUNCTION chaos_${at}()`,
    )
  }
  return {
    async take() {
      const rows = await client.$queryRawUnsafe<{ what: string }[]>('SELECT what FROM chaos_ledger')
      await client.$executeRawUnsafe('DELETE FROM chaos_ledger')
      const prefix = `${failure.name}: `
      const failures = new Map<string, string[]>()
      for (const { what } of rows) {
        if (!what.startsWith(prefix)) continue
        const [id = '', ...why] = what.slice(prefix.length).split(' ')
        failures.set(id, [...(failures.get(id) ?? []), why.join(' ')])
      }
      return { failures, wrong: rows.map(({ what }) => what).filter((what) => !what.startsWith(prefix)) }
    },
  }
}
