import { openSample, type SampleDatabase, type Prisma } from '@outgrow/sample'
import { openSqlite } from '@outgrow/databases'

const people = 10_000
const accounts = 1_000
const items = 5_000
const votes = 120_000
const notes = 30_000
const events = 10_000
const entries = 24_000

const stages = ['IDEA', 'GROWING', 'OUTGROWN', 'GRADUATED'] as const
const adjectives = ['Tiny', 'Quiet', 'Brave', 'Honest', 'Solar', 'Paper', 'Nordic', 'Velvet']
const nouns = ['Invoice', 'Garden', 'Ledger', 'Beacon', 'Kettle', 'Compass', 'Harbor', 'Notebook']

/** Fills the sample through the one client, as the application would have. Returns the rows written. */
export async function seedThroughClient(url: string): Promise<number> {
  const database = await openSample(url)
  try {
    return await seed(database)
  } finally {
    await database.close()
  }
}

async function seed({ client }: SampleDatabase): Promise<number> {
  const day = (n: number) => new Date(Date.UTC(2023, 0, 1) + n * 3_600_000)
  const fill = async <Row>(
    count: number,
    row: (n: number) => Row,
    write: (data: Row[]) => Promise<unknown>,
  ) => {
    for (let at = 0; at < count; at += 2000) {
      await write(Array.from({ length: Math.min(2000, count - at) }, (_, n) => row(at + n)))
    }
    return count
  }
  let rows = 0
  rows += await fill(
    people,
    (n): Prisma.PersonCreateManyInput => ({
      id: `person_${n}`,
      email: `person${n}@example.com`,
      name: n % 9 === 0 ? null : `Person ${n} Ångström`,
      emailVerified: n % 3 !== 0,
      preferences: { theme: n % 2 === 0 ? 'dark' : 'light', digest: { weekly: n % 5 === 0 } },
      invitedById: n > 0 && n % 4 === 0 ? `person_${n >> 1}` : null,
      createdAt: day(n),
    }),
    (data) => client.person.createMany({ data }),
  )
  rows += await fill(
    accounts,
    (n): Prisma.AccountCreateManyInput => ({ id: `account_${n}`, name: `Team ${n}`, slug: `team-${n}` }),
    (data) => client.account.createMany({ data }),
  )
  rows += await fill(
    items,
    (n): Prisma.ItemCreateManyInput => ({
      id: n + 1,
      slug: `item-${n}`,
      name: `${adjectives[n % 8]} ${nouns[(n >> 3) % 8]} ${n}`,
      stage: stages[n % 4] ?? 'IDEA',
      revenue: n % 6 === 0 ? null : ((n * 37) % 100_000) / 100,
      rating: (n % 50) / 10,
      visits: BigInt(n) * 1_000_003n,
      stack: { database: 'sqlite', orm: 'prisma', tags: [n % 7, null, true] },
      featured: n % 10 === 0,
      ownerId: `person_${n % people}`,
      accountId: `account_${n % accounts}`,
      createdAt: day(n),
    }),
    (data) => client.item.createMany({ data }),
  )
  rows += await fill(
    notes,
    (n): Prisma.NoteCreateManyInput => ({
      id: BigInt(n + 1),
      body: `Note ${n}: one writer is enough until it is not 🚀`,
      itemId: (n % items) + 1,
      authorId: `person_${n % people}`,
      parentId: n > items && n % 3 === 0 ? BigInt(n - items + 1) : null,
    }),
    (data) => client.note.createMany({ data }),
  )
  rows += await fill(
    events,
    (n): Prisma.WebhookEventCreateManyInput => ({
      stripeEventId: `evt_${n}`,
      type: n % 2 === 0 ? 'invoice.paid' : 'customer.subscription.updated',
      payload: JSON.stringify({ id: `evt_${n}`, object: 'event' }),
      status: n % 50 === 0 ? 'PENDING' : 'DONE',
    }),
    (data) => client.webhookEvent.createMany({ data }),
  )
  rows += await fill(
    entries,
    (n): Prisma.LogEntryCreateManyInput => ({
      accountId: `account_${n % accounts}`,
      actor: `person_${n % people}`,
      action: 'vote',
      detail: { from: n, to: n + 1 },
      at: day(n),
    }),
    (data) => client.logEntry.createMany({ data }),
  )
  return rows
}

/**
 * What real files pick up over the years: rows from an old script with millisecond dates, words for booleans, broken
 * references, bytes in text. Returns the rows written.
 */
export function addDirtyData(path: string): number {
  const database = openSqlite(path)
  database.pragma('foreign_keys = OFF')
  database.exec(`
    INSERT INTO votes (person_id, item_id, weight, created_at)
      WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${votes})
      SELECT 'person_' || (i % ${people}), (i / ${people} * 397 + i) % ${items} + 1, i % 3 + 1, 1672531200000 + i % 20000 * 3600000 FROM n;
    UPDATE items SET created_at = CAST(strftime('%s', created_at) AS INTEGER) * 1000 + 523 WHERE id % 2 = 0;
    UPDATE items SET created_at = '2022-06-01 12:30:00' WHERE id % 97 = 0;
    UPDATE items SET visits = 9007199254740993 WHERE id = 1;
    UPDATE items SET featured = 'true' WHERE id IN (11, 12, 13);
    UPDATE items SET owner_id = 'person_deleted' WHERE id IN (21, 22);
    UPDATE notes SET body = 'cut' || char(0) || 'here' WHERE id = 7;
  `)
  database.close()
  return votes
}
