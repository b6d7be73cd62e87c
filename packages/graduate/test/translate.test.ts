import { openSqliteInMemory, withPostgres } from '@outgrow/databases'
import * as fc from 'fast-check'
import { expect, inject, test } from 'vitest'
import {
  translateExpression,
  Untranslatable,
  type NamedColumn,
} from '../src/target/postgres/carry/translate.ts'

const column = (source: string, type: string): NamedColumn => ({
  source,
  collation: source === 'folded' ? 'NOCASE' : undefined,
  isText: type === 'text',
  target: {
    name: source,
    type,
    typeOid: 0,
    sqlType: type,
    modifier: -1,
    element: undefined,
    enumValues: undefined,
    notNull: false,
    generated: false,
    hasDefault: false,
    sequence: undefined,
  },
})
const columns = [
  column('n', 'int4'),
  column('m', 'int8'),
  column('f', 'float8'),
  column('t', 'text'),
  column('u', 'text'),
  column('folded', 'text'),
  column('flag', 'bool'),
]
const sqliteTable =
  'CREATE TABLE r (n INTEGER, m INTEGER, f REAL, t TEXT, u TEXT, folded TEXT COLLATE NOCASE, flag BOOLEAN)'
const postgresTable =
  'CREATE TEMP TABLE r (n int4, m int8, f float8, t text, u text, folded text, flag boolean)'

const number = fc.constantFrom(
  'n',
  'm',
  'f',
  '0',
  '1',
  '2',
  '-1',
  '1.5',
  'length(t)',
  'abs(n)',
  'instr(t, u)',
  'coalesce(n, 7)',
  'n + m',
  'm * 2',
  '-f',
  'f - n',
)
const text = fc.constantFrom(
  't',
  'u',
  'folded',
  "'a'",
  "'Ab'",
  "''",
  "'é'",
  'lower(t)',
  'upper(u)',
  'trim(t)',
  't || u',
  "ifnull(t, 'x')",
  'ltrim(u)',
)
const operator = fc.constantFrom('=', '==', '<>', '!=', '<', '<=', '>', '>=', 'IS', 'IS NOT')
const condition = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.tuple(number, operator, number).map((parts) => parts.join(' ')),
    fc.tuple(text, operator, text).map((parts) => parts.join(' ')),
    fc
      .tuple(text, fc.constantFrom('LIKE', 'NOT LIKE'), fc.constantFrom("'a%'", "'%B'", "'_'", "'É%'"))
      .map((parts) => parts.join(' ')),
    fc
      .tuple(
        text,
        fc.constantFrom('GLOB', 'NOT GLOB'),
        fc.constantFrom("'a*'", "'[A-Z]*'", "'?'", "'*[^a-c]'", "'a.b'"),
      )
      .map((parts) => parts.join(' ')),
    fc
      .tuple(number, fc.constantFrom('IN', 'NOT IN'), number, number)
      .map(([a, op, b, c]) => `${a} ${op} (${b}, ${c})`),
    fc
      .tuple(number, fc.constantFrom('BETWEEN', 'NOT BETWEEN'), number, number)
      .map(([a, op, b, c]) => `${a} ${op} ${b} AND ${c}`),
    fc
      .tuple(
        fc.oneof(number, text),
        fc.constantFrom('IS NULL', 'IS NOT NULL', 'ISNULL', 'NOTNULL', 'NOT NULL'),
      )
      .map((parts) => parts.join(' ')),
    fc.constantFrom('flag', 'flag = 1', 'flag IN (0, 1)', 'NOT flag', 'flag IS NOT 0'),
    fc.tuple(tie('value'), fc.constantFrom('AND', 'OR'), tie('value')).map((parts) => parts.join(' ')),
    tie('value').map((inner) => `NOT ${inner}`),
    tie('value').map((inner) => `(${inner})`),
    fc.tuple(number, operator, number, operator, number).map((parts) => parts.join(' ')),
  ),
})).value

const some = <Value>(...values: Value[]) => fc.constantFrom<Value | null>(null, ...values)
const row = fc.record({
  n: some(0, 1, -1, 2, 7),
  m: some(0, 1, 3, 2 ** 40),
  f: some(0, 0.5, 1.5, -1, 1e300),
  t: some('', 'a', 'A', 'Ab', 'abc', 'a.b', 'é', 'É', ' a ', 'B'),
  u: some('', 'a', 'B', 'é', 'x'),
  folded: some('a', 'A', 'Ab', 'aB', 'é', 'É'),
  flag: some(0, 1),
})

test('an expression that is said anew is true, false or unknown of the same rows', async () => {
  const sqlite = openSqliteInMemory()
  sqlite.exec(sqliteTable)
  let said = 0
  await withPostgres(inject('postgresUrl'), async (client) => {
    await client.query(postgresTable)
    await fc.assert(
      fc.asyncProperty(
        condition,
        fc.array(row, { minLength: 5, maxLength: 15 }),
        async (expression, rows) => {
          let translated: string
          try {
            translated = translateExpression(expression, columns).sql
          } catch (error) {
            if (error instanceof Untranslatable) return
            throw error
          }
          said++
          const expected = rows.map((values) => {
            sqlite.exec('DELETE FROM r')
            sqlite.prepare('INSERT INTO r VALUES (@n, @m, @f, @t, @u, @folded, @flag)').run(values)
            return sqlite
              .prepare(`SELECT (${expression}) IS TRUE AS yes, (${expression}) IS NULL AS unknown FROM r`)
              .get()
          })
          const found = []
          for (const { n, m, f, t, u, folded, flag } of rows) {
            await client.query('TRUNCATE r')
            await client.query('INSERT INTO r VALUES ($1, $2, $3, $4, $5, $6, $7)', [
              n,
              m,
              f,
              t,
              u,
              folded,
              flag === null ? null : flag === 1,
            ])
            const {
              rows: [answer],
            } = await client.query(
              `SELECT ((${translated}) IS TRUE)::int AS yes, ((${translated}) IS NULL)::int AS unknown FROM r`,
            )
            found.push(answer)
          }
          expect([translated, found]).toEqual([translated, expected])
        },
      ),
      { numRuns: Number(process.env.OUTGROW_PROPERTY_RUNS ?? 3) * 30, endOnFailure: true },
    )
  })
  sqlite.close()
  expect(said).toBeGreaterThan(10)
}, 600_000)
