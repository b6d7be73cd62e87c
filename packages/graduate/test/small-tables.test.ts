import { describeSchemas, openSqlite, withPostgres } from '@outgrow/databases'
import { makeSqlite } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { gathered } from '../src/steps/gathered.ts'
import { emptyTarget, findingsOf, move, postgresSchema, verifyMove } from './move.ts'

const generator =
  'generator c {\n  provider = "prisma-client"\n  output = "./x"\n  previewFeatures = ["postgresqlExtensions"]\n}\n'

const schema =
  generator +
  postgresSchema(
    ['A', 'B', 'C']
      .map(
        (name, at) => `model ${name} {
  id    Int    @id
  email String @unique @db.Citext
  upId  Int?
  up    ${name}?     @relation("${name}", fields: [upId], references: [id])
  downs ${name}[]    @relation("${name}")
  rank  Int    @default(${at})
  @@index([rank])
}`,
      )
      .join('\n'),
  ).replace('provider = "postgresql"', 'provider = "postgresql"\n  extensions = [citext]')

function makeFile(): string {
  const table = (name: string, at: number) => `CREATE TABLE "${name}" (
      id INTEGER PRIMARY KEY, email TEXT NOT NULL, upId INTEGER, rank INTEGER NOT NULL DEFAULT ${at},
      CONSTRAINT "${name}_upId_fkey" FOREIGN KEY (upId) REFERENCES "${name}" (id) ON DELETE SET NULL ON UPDATE CASCADE);
    CREATE UNIQUE INDEX "${name}_email_key" ON "${name}" (email);
    CREATE INDEX "${name}_rank_idx" ON "${name}" (rank);
    INSERT INTO "${name}" (id, email, upId) VALUES (1, 'a@x.io', NULL), (2, 'b@x.io', 1);`
  return makeSqlite(['A', 'B', 'C'].map(table).join('\n'))
}

const keysOf = (url: string) =>
  withPostgres(url, async (client) =>
    (await describeSchemas(client, { public: 'public' })).filter(({ kind }) =>
      /key|index|constraint/.test(kind),
    ),
  )

test('a key that rows violate is named and resolved, and the keys that were built with it stand as ever', async () => {
  const from = makeFile()
  const [sound, violated] = [await emptyTarget(), await emptyTarget()]
  await move(from, sound.url, schema)
  const database = openSqlite(from)
  database.exec(
    `PRAGMA foreign_keys = OFF; INSERT INTO "B" (id, email) VALUES (3, 'A@x.io'); INSERT INTO "C" (id, email, upId) VALUES (3, 'c@x.io', 99)`,
  )
  database.close()
  const findings = await findingsOf(move(from, violated.url, schema))
  expect(findings.map(({ code, table, keys }) => [code, table, keys])).toEqual([
    ['OUTGROW_DUPLICATE', 'B', [{ id: 3 }]],
    ['OUTGROW_ORPHAN', 'C', [{ id: 3 }]],
  ])
  await move(from, violated.url, schema, { onBadValue: 'quarantine' })
  const rows = `SELECT 'B' AS "table", id FROM "B" UNION ALL SELECT 'C', id FROM "C" ORDER BY 1, 2`
  expect(await violated.query(rows)).toEqual([
    { table: 'B', id: 1 },
    { table: 'B', id: 2 },
    { table: 'C', id: 1 },
    { table: 'C', id: 2 },
  ])
  const keys = await keysOf(sound.url)
  expect(keys.length).toBeGreaterThan(8)
  expect(await keysOf(violated.url)).toEqual(keys)
  expect((await verifyMove(from, violated.url, schema)).tables.every(({ digestMatch }) => digestMatch)).toBe(
    true,
  )
  await sound.drop()
  await violated.drop()
})

test('small tables are gathered until they come to much, and large ones stay by themselves', () => {
  const small = Array.from({ length: 250 }, (_, at) => ({ at, rows: 1 }))
  expect(gathered(small).map((group) => group.length)).toEqual([100, 100, 50])
  const mixed = [9_000, 1_000_000, 9_000, 9_000, 9_000, 9_000, 9_000].map((rows) => ({ rows }))
  expect(gathered(mixed).map((group) => group.map(({ rows }) => rows))).toEqual([
    [9_000, 9_000, 9_000, 9_000, 9_000],
    [1_000_000],
    [9_000],
  ])
})
