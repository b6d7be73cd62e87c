import { setImmediate as nextTurn } from 'node:timers/promises'
import { openSqlite, type SqliteDatabase } from '@outgrow/databases'

/** Six tables as Prisma makes them: text ids, millisecond and ISO dates, Json payloads, decimals, a log. */
export const benchSchema = `datasource db {
  provider = "sqlite"
}

model User {
  id        String    @id
  email     String    @unique
  name      String?
  createdAt DateTime
  accounts  Account[]
  votes     Vote[]
}

model Account {
  id        String    @id
  slug      String    @unique
  ownerId   String
  owner     User      @relation(fields: [ownerId], references: [id])
  createdAt DateTime
  products  Product[]
  events    Event[]

  @@index([ownerId])
}

model Product {
  id        Int      @id @default(autoincrement())
  accountId String
  account   Account  @relation(fields: [accountId], references: [id])
  name      String
  price     Decimal
  rating    Float
  active    Boolean
  createdAt DateTime
  votes     Vote[]

  @@index([accountId])
  @@index([createdAt])
}

model Vote {
  userId    String
  productId Int
  weight    Int
  createdAt DateTime
  user      User     @relation(fields: [userId], references: [id])
  product   Product  @relation(fields: [productId], references: [id])

  @@id([userId, productId])
  @@index([productId])
}

model Event {
  id         Int      @id @default(autoincrement())
  stripeId   String   @unique
  accountId  String
  account    Account  @relation(fields: [accountId], references: [id])
  payload    Json
  receivedAt DateTime

  @@index([accountId])
  @@index([receivedAt])
}

model AuditEntry {
  id     BigInt   @id @default(autoincrement())
  actor  String
  action String
  detail String
  at     DateTime

  @@index([at])
  @@index([actor])
}
`

/** The tables, parents first, each with the column that holds its dates. */
export const dateColumns = {
  User: 'createdAt',
  Account: 'createdAt',
  Product: 'createdAt',
  Vote: 'createdAt',
  Event: 'receivedAt',
  AuditEntry: 'at',
}

/** Fills an empty file of the schema with about `rows` rows; the same rows for the same number. */
export async function fillShop(path: string, ddl: string, rows: number, signal: AbortSignal): Promise<void> {
  const database = openSqlite(path)
  try {
    database.pragma('synchronous = OFF')
    database.exec(ddl)
    await insertRows(database, rows, signal)
    database.pragma('wal_checkpoint(TRUNCATE)')
  } finally {
    database.close()
  }
}

async function insertRows(database: SqliteDatabase, rows: number, signal: AbortSignal): Promise<void> {
  const share = (part: number) => Math.max(1, Math.round(rows * part))
  const [users, accounts, products] = [share(0.1), share(0.02), share(0.08)]
  const [votes, events, audit] = [share(0.2), share(0.2), share(0.4)]
  const id = (kind: string, at: number) =>
    `${kind}${mix(at).toString(36).padStart(7, '0')}${mix(at + 7)
      .toString(36)
      .padStart(7, '0')}${at.toString(36).padStart(8, '0')}`
  const at = (n: number) => 1600000000000 + n * 1000 + (mix(n) % 1000)
  const iso = (n: number) => new Date(at(n)).toISOString().replace('Z', '+00:00')
  const insert = async (sql: string, count: number, values: (n: number) => unknown[]) => {
    const statement = database.prepare(sql)
    database.exec('BEGIN')
    for (let n = 0; n < count; n++) {
      statement.run(...values(n))
      if (n % 10_000 !== 0) continue
      await nextTurn() // in which Ctrl-C arrives
      signal.throwIfAborted()
    }
    database.exec('COMMIT')
  }
  await insert('INSERT INTO "User" VALUES (?, ?, ?, ?)', users, (n) => [
    id('u', n),
    `user${n}@example.com`,
    n % 7 === 0 ? null : `User ${n}`,
    n % 2 === 0 ? at(n) : iso(n),
  ])
  await insert('INSERT INTO "Account" VALUES (?, ?, ?, ?)', accounts, (n) => [
    id('a', n),
    `account-${n}`,
    id('u', mix(n) % users),
    at(n),
  ])
  await insert('INSERT INTO "Product" VALUES (?, ?, ?, ?, ?, ?, ?)', products, (n) => [
    n + 1,
    id('a', mix(n) % accounts),
    `Product number ${n}`,
    (mix(n) % 100000) / 100,
    (mix(n) % 50) / 10,
    n % 3 === 0 ? 1 : 0,
    iso(n),
  ])
  await insert('INSERT INTO "Vote" VALUES (?, ?, ?, ?)', votes, (n) => [
    id('u', n % users),
    ((Math.floor(n / users) * 7919 + n) % products) + 1,
    mix(n) % 5,
    at(n),
  ])
  await insert('INSERT INTO "Event" VALUES (?, ?, ?, ?, ?)', events, (n) => [
    n + 1,
    `evt_${id('e', n)}`,
    id('a', mix(n) % accounts),
    payload(n),
    iso(n),
  ])
  await insert('INSERT INTO "AuditEntry" VALUES (?, ?, ?, ?, ?)', audit, (n) => [
    n + 1,
    id('u', mix(n) % users),
    ['create', 'update', 'delete', 'login'][n % 4],
    `changed field ${n % 40} from ${mix(n)} to ${mix(n + 1)}`,
    at(n),
  ])
}

/** About 1 kB of what a webhook carries. */
function payload(n: number): string {
  const lines = Array.from({ length: 6 }, (_, at) => ({
    id: `il_${mix(n + at)}`,
    amount: mix(n * 7 + at) % 10000,
    currency: 'usd',
    description: `Line ${at} of invoice ${n}`,
    proration: at % 2 === 0,
  }))
  return JSON.stringify({
    id: `evt_${n}`,
    object: 'event',
    type: 'invoice.paid',
    created: 1600000000 + n,
    data: { object: { id: `in_${mix(n)}`, customer: `cus_${mix(n + 3)}`, total: mix(n) % 100000, lines } },
    livemode: false,
  })
}

/** A 31-bit mix of a number: the same everywhere. */
function mix(n: number): number {
  let h = Math.imul(n ^ 0x9e3779b9, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 1
}
