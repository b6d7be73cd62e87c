import { makeSqlite } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { proveDialects, pullSchema, schemaSourceOf } from '../src/index.ts'

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
    INSERT INTO odd VALUES (NULL, 'a'), ('b', 'c');
  `)
  const { text, models, unsaid } = pullSchema(file)
  const lines = text.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '))
  expect(models).toBe(4)
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
    ]),
  )
  expect(unsaid.map(({ kind, name }) => `${kind} ${name}`).toSorted((a, b) => a.localeCompare(b))).toEqual([
    'check order items',
    'generated column total',
    'index by_lower',
    'index unpaid',
    'trigger t',
    'view totals',
    'virtual table search',
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
