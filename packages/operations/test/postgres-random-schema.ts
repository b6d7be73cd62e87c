import { array, boolean, constantFrom, nat, record, type Arbitrary } from 'fast-check'
import { quoteIdentifier } from '@outgrow/databases'

/** Types, and values of each as SQL writes them. */
const types: Record<string, string[]> = {
  int: ['0', '-2147483648', '2147483647'],
  bigint: ['9223372036854775807', '-1'],
  text: ["''", "'\\x'", `E'tab\\t\\nnew \\\\N'`, "'ü 🎉 日本'", "'NULL'", `repeat('long ', 3000)`],
  'varchar(9)': ["'abc'", "''"],
  'char(4)': ["'ab'", "''"],
  bytea: ["'\\x'", "'\\x00ff'", `decode(repeat('00ff', 5000), 'hex')`],
  bool: ['true', 'false'],
  numeric: ["'NaN'", '1.00', '1e100', '-0.000000001', "'Infinity'"],
  'numeric(12, 4)': ['1.5', '-99999999.9999'],
  float8: ["'NaN'", "'-0'", "'Infinity'", '1e-308', '0.1'],
  float4: ['3.4e38', "'-Infinity'"],
  date: ["'infinity'", "'4713-01-01 BC'", "'2024-02-29'"],
  timestamptz: ["'-infinity'", "'2024-02-29 12:00:00.123456+05:30'", "'294276-12-31 23:59:59Z'"],
  interval: ["'1 year -2 mons 3 days -04:05:06.7'", "'0'"],
  uuid: ["'00000000-0000-0000-0000-000000000000'", 'gen_random_uuid()'],
  jsonb: ["'null'", `'{"a": [1.0, "x"], "b": null}'`, "'[]'"],
  json: [`'{ "a" : 1, "a":2 }'`],
  xml: ["'<a>b</a>'", "'text only'"],
  inet: ["'10.0.0.1/8'", "'::1'"],
  tsvector: ["'a:1 b:2A'"],
  int4range: ["'empty'", "'[1,)'"],
  'text[]': ["'{}'", `'{"a,b",NULL,"NULL"}'`, "'{{a},{b}}'"],
  'int[]': ["'{}'", "'[5:6]={1,NULL}'"],
  mood: ["'sad'", "'it''s'"],
  'mood[]': ["'{sad,NULL}'", "'{}'"],
  pair: [`ROW(1, 'sad')`, 'ROW(NULL, NULL)'],
  'pair[]': [`ARRAY[ROW(1, 'sad')::pair, NULL]`],
  positive: ['5'],
  regclass: ["'pg_class'"],
}

const names = [
  'plain',
  'Upper',
  'with space',
  'quo"te',
  "apos'trophe",
  'sélect',
  'a.b',
  '日本',
  'semi;colon',
  '--c',
  'order',
  '$1',
  'back\\slash',
  '%s',
]

export interface RandomDatabase {
  sql: string
  tables: number
}

const column = record({
  type: constantFrom(...Object.keys(types)),
  notNull: boolean(),
  withDefault: boolean(),
  index: constantFrom('', '', 'index', 'unique'),
})

const table = record({
  columns: array(column, { maxLength: 6 }),
  key: constantFrom('none', 'serial', 'identity', 'always'),
  rows: nat({ max: 40 }),
  form: constantFrom('plain', 'plain', 'unlogged', 'partitioned', 'hashed', 'child'),
  name: nat(),
  view: constantFrom('', 'VIEW', 'MATERIALIZED VIEW'),
  dropsColumn: boolean(),
  seed: nat(),
})

/** SQL of a database that nobody would write. */
export const randomDatabase: Arbitrary<RandomDatabase> = array(table, { minLength: 1, maxLength: 5 }).map(
  (tables) => {
    const sql = [
      "CREATE TYPE mood AS ENUM ('sad', 'it''s')",
      'CREATE TYPE pair AS (n int, m mood)',
      'CREATE DOMAIN positive AS int CHECK (VALUE > 0)',
    ]
    let first: string | undefined
    // At the end: a materialized one holds what was there when it was made.
    const views: string[] = []
    for (const [at, { columns, key, rows, form, name, view, dropsColumn, seed }] of tables.entries()) {
      const label = quoteIdentifier(`${names[name % names.length]} ${at}`)
      const isParted = form === 'partitioned' || form === 'hashed'
      const own = columns.map((one, n) => ({
        ...one,
        name: quoteIdentifier(`${names[(name + n) % names.length]}_${at}_${n}`),
      }))
      const lines = [
        ...(isParted ? ['part int NOT NULL DEFAULT 0', 'm mood'] : []),
        ...(key === 'none' ? [] : [keyOf(key, at, isParted)]),
        ...own.map(
          ({ name: column, type, notNull, withDefault }) =>
            `${column} ${type}${notNull ? ' NOT NULL' : ''}${withDefault ? ` DEFAULT ${types[type]?.[0]}` : ''}`,
        ),
      ]
      const parent = form === 'child' && first !== undefined ? ` INHERITS (${first})` : ''
      const parting =
        form === 'partitioned'
          ? ' PARTITION BY RANGE (part)'
          : form === 'hashed'
            ? ' PARTITION BY HASH (m)'
            : ''
      sql.push(
        `CREATE ${form === 'unlogged' ? 'UNLOGGED ' : ''}TABLE ${label} (${lines.join(', ')})${parent}${parting}`,
      )
      // A child inherits no identity, but that it is NOT NULL.
      const isParent = form === 'plain' && (key === 'none' || key === 'serial')
      if (isParent && !own.some(({ notNull }) => notNull)) first ??= label
      for (const part of [0, 1]) {
        const bounds =
          form === 'hashed'
            ? `WITH (MODULUS 2, REMAINDER ${part})`
            : part === 0
              ? 'FROM (0) TO (2)'
              : 'FROM (2) TO (9)'
        if (isParted)
          sql.push(
            `CREATE TABLE ${quoteIdentifier(`part ${at} ${part}`)} PARTITION OF ${label} FOR VALUES ${bounds}`,
          )
      }
      for (let row = 0; row < rows; row++) {
        const set = [
          ...(isParted
            ? [
                ['part', String(row % 5)],
                ['m', row % 2 === 0 ? "'sad'" : `'it''s'`],
              ]
            : []),
          ...own.map(({ name: column, type, notNull }, n) => {
            const values = [...(types[type] ?? []), ...(notNull ? [] : ['NULL'])]
            return [column, values[(seed + row * 7 + n * 3) % values.length]]
          }),
        ]
        sql.push(
          set.length === 0
            ? `INSERT INTO ${label} DEFAULT VALUES`
            : `INSERT INTO ${label} (${set.map(([column]) => column).join(', ')}) VALUES (${set.map(([, value]) => value).join(', ')})`,
        )
      }
      for (const { name: column, index } of own) {
        if (index !== '')
          sql.push(`CREATE INDEX ON ${label} ((${column} IS NULL)) WHERE ${column} IS NOT NULL`)
      }
      if (view !== '') views.push(`CREATE ${view} ${quoteIdentifier(`view ${at}`)} AS SELECT * FROM ${label}`)
      else if (dropsColumn && own.length > 0 && form !== 'plain')
        sql.push(`ALTER TABLE ${label} DROP COLUMN ${own[0]?.name}`)
    }
    return { sql: [...sql, ...views].join(';\n'), tables: tables.length }
  },
)

function keyOf(key: string, at: number, isParted: boolean): string {
  const primary = isParted ? '' : ' PRIMARY KEY'
  if (key === 'serial') return `key_${at} bigserial${primary}`
  return `key_${at} int GENERATED ${key === 'always' ? 'ALWAYS' : 'BY DEFAULT'} AS IDENTITY (START 5 INCREMENT 3)${primary}`
}
