import { makeSqlite } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { proveDialects, pullSchema, schemaSourceOf, type RefusedTypes } from '../src/index.ts'

test('a file that nobody wrote for Prisma becomes a schema that both databases take', async () => {
  const file = makeSqlite(`
    CREATE TABLE "order items" (order_id INTEGER NOT NULL, "line no" INT NOT NULL, price NUMERIC(10,2), title NVARCHAR(40) NOT NULL DEFAULT 'it''s',
      paid BOOL NOT NULL DEFAULT 0, at DATETIME DEFAULT CURRENT_TIMESTAMP, fine TIMESTAMP, doc JSON, big INTEGER, any, file BLOB,
      total GENERATED ALWAYS AS (price * 2) VIRTUAL, CHECK (price >= 0), PRIMARY KEY (order_id, "line no"), FOREIGN KEY (order_id) REFERENCES orders);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES orders(id) ON DELETE SET NULL, code TEXT UNIQUE, weird MONEY);
    CREATE TABLE log (line NTEXT, n TINYINT);
    CREATE TABLE odd (k TEXT PRIMARY KEY, v CLOB);
    CREATE INDEX by_title ON "order items"(title DESC);
    CREATE INDEX by_lower ON "order items"(lower(title));
    CREATE INDEX unpaid ON "order items"(paid) WHERE paid = 0;
    CREATE VIEW totals AS SELECT sum(price) FROM "order items";
    CREATE TRIGGER t AFTER INSERT ON log BEGIN SELECT 1; END;
    CREATE VIRTUAL TABLE search USING fts5(body);
    INSERT INTO orders VALUES (1, NULL, 'a', 9.5), (2, 1, NULL, 1);
    INSERT INTO "order items" (order_id, "line no", price, paid, at, fine, doc, big, any, file) VALUES
      (1, 1, 9.99, 1, '2024-01-01 10:00:00', '2024-01-01T10:00:00.123456Z', '{"a":1}', 4294967296, 'x', x'00');
    INSERT INTO log VALUES ('x', 1), ('x', 1);
    INSERT INTO search VALUES ('found');
    INSERT INTO odd VALUES (NULL, 'a'), ('b', 'c');
  `)
  const { text, models, unsaid } = pullSchema(file)
  const lines = text.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '))
  expect(models).toBe(5)
  expect(lines).toEqual(
    expect.arrayContaining([
      'model OrderItems {',
      '// outgrow:postgres @db.Decimal(10, 2)',
      'price Decimal?',
      `title String @default("it's")`,
      'paid Boolean @default(false)',
      'at DateTime? @default(now())',
      '// outgrow:postgres @db.Timestamptz(6)',
      'doc Json?',
      'big BigInt?',
      'any String?',
      'file Bytes?',
      'lineNo Int @map("line no")',
      '@@id([order_id, lineNo])',
      '@@index([title(sort: Desc)], map: "by_title")',
      '@@map("order items")',
      'weird Decimal?',
      'code String?',
      '@@ignore',
      'model Search {',
      'rowid Int @id @default(autoincrement())',
      'body String?',
    ]),
  )
  expect(unsaid.map(({ kind, name }) => `${kind} ${name}`).toSorted((a, b) => a.localeCompare(b))).toEqual([
    'check order items',
    'generated column total',
    'index by_lower',
    'index unpaid',
    'trigger t',
    'view totals',
  ])
  const generated = await proveDialects(schemaSourceOf(text))
  expect(generated.dialects.ok).toBe(true)
})

test('names that Prisma reserves, and a reference that is declared twice, make a valid schema', async () => {
  const from = makeSqlite(
    `CREATE TABLE "Json" (id INTEGER PRIMARY KEY);
     CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES "Json"(id), FOREIGN KEY (p) REFERENCES "Json"(id))`,
  )
  const { text } = pullSchema(from)
  expect((await proveDialects(schemaSourceOf(text))).dialects.ok).toBe(true)
  expect(text.match(/@relation\(.*fields:/g)).toHaveLength(1)
})

/** As a move's encoders would: integers beyond 2^53 are no doubles. */
test('a type is taken only when it holds every value, and another is said', () => {
  const from = makeSqlite(
    'CREATE TABLE m (id INTEGER PRIMARY KEY, n BIGINT, r REAL); INSERT INTO m VALUES (1, 1106272346572132433, 1), (2, 0.5, 2)',
  )
  const refused: RefusedTypes = (_, __, columns) =>
    new Map(
      columns.flatMap(({ column, type }) =>
        column.name === 'n' && type.type === 'Float' ? [['n', 'is too long']] : [],
      ),
    )
  const { text, unsaid } = pullSchema(from, refused)
  expect(text).toMatch(/n\s+Decimal\?/)
  expect(text).toMatch(/r\s+Float\?/)
  expect(unsaid).toEqual([
    { kind: 'type', table: 'm', name: 'n', sql: 'BIGINT: as Float a value is too long; trying Decimal' },
  ])
})

test.each([
  [
    'a nullable unique is referenced',
    'CREATE TABLE p (id INTEGER PRIMARY KEY, k TEXT UNIQUE); CREATE TABLE c (id INTEGER PRIMARY KEY, pk TEXT REFERENCES p(k))',
  ],
  [
    'a key that holds NULLs is referenced',
    'CREATE TABLE p (k TEXT PRIMARY KEY, v); INSERT INTO p VALUES (NULL, 1); CREATE TABLE c (id INTEGER PRIMARY KEY, pk TEXT REFERENCES p(k))',
  ],
  [
    'a table without a key is referenced',
    'CREATE TABLE p (a INTEGER, b TEXT); CREATE TABLE c (id INTEGER PRIMARY KEY, pk INTEGER REFERENCES p(a))',
  ],
  [
    'a table without a key references',
    'CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (pk INTEGER REFERENCES p(id))',
  ],
  [
    'a composite nullable key is referenced',
    'CREATE TABLE p (a INTEGER, b TEXT, PRIMARY KEY (a, b)); CREATE TABLE c (id INTEGER PRIMARY KEY, x INTEGER NOT NULL, y TEXT, FOREIGN KEY (x, y) REFERENCES p)',
  ],
  [
    'a table has a name that Prisma passes over',
    'CREATE TABLE spatial_ref_sys (srid INTEGER NOT NULL PRIMARY KEY, auth_name TEXT NOT NULL); CREATE TABLE geometry_columns (f_table_name TEXT NOT NULL, srid INTEGER NOT NULL REFERENCES spatial_ref_sys(srid), PRIMARY KEY (f_table_name))',
  ],
  [
    'a table has no columns but generated ones and odd names',
    'CREATE TABLE "1a" ("2 b" INTEGER PRIMARY KEY, "" TEXT, "é" TEXT, "class" TEXT, "a-b" TEXT, "a_b" TEXT)',
  ],
  [
    'a table is named as a model would be',
    'CREATE TABLE "enum" (id INTEGER PRIMARY KEY); CREATE TABLE "model" (id INTEGER PRIMARY KEY, "type" TEXT); CREATE TABLE "PrismaClient" (id INTEGER PRIMARY KEY)',
  ],
  [
    'a reference has another type',
    'CREATE TABLE p (id TEXT PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, pk INTEGER REFERENCES p(id))',
  ],
  [
    'a default is no literal of its type',
    "CREATE TABLE d (id INTEGER PRIMARY KEY, a INTEGER DEFAULT 'x', b TEXT DEFAULT 5, c REAL DEFAULT 1e3, d BOOLEAN DEFAULT 2, e INTEGER DEFAULT 99999999999, f TEXT DEFAULT (lower(hex(randomblob(4)))), g DATETIME DEFAULT '2024-01-01', h BLOB DEFAULT x'00', i JSON DEFAULT '{}')",
  ],
  [
    'two tables differ by case after naming',
    'CREATE TABLE "a b" (id INTEGER PRIMARY KEY); CREATE TABLE "a_b" (id INTEGER PRIMARY KEY); CREATE TABLE ab (id INTEGER PRIMARY KEY)',
  ],
  [
    'columns have names of the system, and names beyond 63 bytes',
    `CREATE TABLE box (id INTEGER PRIMARY KEY, xmin REAL, xmax REAL, ctid DATETIME, "${'long'.repeat(20)}1" TEXT, "${'long'.repeat(20)}2" TEXT)`,
  ],
  [
    'a key is referenced in another order',
    'CREATE TABLE par (x INTEGER, y INTEGER, PRIMARY KEY (x, y)); CREATE TABLE chi (a INTEGER, b INTEGER, PRIMARY KEY (b, a), FOREIGN KEY (a, b) REFERENCES par(y, x))',
  ],
  [
    'an index is declared twice',
    'CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE); CREATE UNIQUE INDEX i1 ON t(a); CREATE INDEX i2 ON t(a); CREATE INDEX i3 ON t(a)',
  ],
])('Prisma takes the schema when %s', async (_, sql) => {
  const generated = await proveDialects(schemaSourceOf(pullSchema(makeSqlite(sql)).text))
  expect(generated.dialects.ok).toBe(true)
  for (const [, table] of sql.matchAll(/CREATE TABLE "?([^ "(]+(?: b)?)"? /g)) {
    expect(generated.ddl.postgres).toContain(`"${table}`)
  }
})
