import { writeFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@outgrow/testing'
import { expect, test } from 'vitest'
import {
  generateSchemas,
  proveDialects,
  readDmmf,
  renderDialects,
  schemaSourceOf,
  staleOutputs,
  writeGenerated,
  type SchemaFinding,
} from '../src/index.ts'
import { postgres, proved, sqlite, withPreviews } from './proved.ts'
import { dmmfDifferences } from '../src/parity.ts'

/** Each feature: one field line of a Postgres source, what SQLite gets, and what Postgres keeps. */
const features: [name: string, line: string, onSqlite: RegExp, onPostgres: RegExp][] = [
  ['@db types', 'f String @db.VarChar(20)', /f String$/m, /@db\.VarChar\(20\)/],
  [
    'uuid default',
    'f String @default(dbgenerated("gen_random_uuid()")) @db.Uuid',
    /@default\(uuid\(\)\)/,
    /gen_random_uuid/,
  ],
  ['uuid v7 default', 'f String @default(dbgenerated("uuidv7()"))', /@default\(uuid\(7\)\)/, /uuidv7/],
  [
    'now() default',
    'f DateTime @default(dbgenerated("now()")) @db.Timestamptz(6)',
    /@default\(now\(\)\)$/m,
    /Timestamptz\(6\)/,
  ],
  [
    'now at utc',
    `f DateTime @default(dbgenerated("timezone('utc'::text, now())"))`,
    /@default\(now\(\)\)/,
    /timezone/,
  ],
  [
    'a time from now',
    `f DateTime @default(dbgenerated("(now() + '2 weeks'::interval)")) @db.Timestamptz(6)`,
    /strftime\('%Y-%m-%dT%H:%M:%f\+00:00', 'now', '\+14 days'\)/,
    /2 weeks/,
  ],
  [
    'text constant',
    `f String @default(dbgenerated("'new'::character varying"))`,
    /@default\("new"\)/,
    /character varying/,
  ],
  [
    'number constant',
    'f Decimal @default(dbgenerated("0.5")) @db.Decimal(10, 2)',
    /@default\(0\.5\)/,
    /Decimal\(10, 2\)/,
  ],
  [
    'boolean constant',
    'f Boolean @default(dbgenerated("true"))',
    /@default\(true\)/,
    /dbgenerated\("true"\)/,
  ],
  [
    'Json default',
    'f Json @default("{\\"a\\": \\"it\'s\\"}")',
    /dbgenerated\("'\{\\"a\\": \\"it''s\\"\}'"\)/,
    /@default\("\{/,
  ],
  ['Json dbgenerated', `f Json @default(dbgenerated("'{}'::jsonb"))`, /dbgenerated\("'\{\}'"\)/, /::jsonb/],
  ['Bytes default', 'f Bytes @default("AQID")', /X'010203'/, /@default\("AQID"\)/],
  [
    'DateTime default',
    'f DateTime @default("2020-01-01T00:00:00Z")',
    /'2020-01-01T00:00:00.000\+00:00'/,
    /2020-01-01T00:00:00Z/,
  ],
  ['lists', 'f String[]', /f Json @default\(dbgenerated\("'\[\]'"\)\)/, /f Json @default\("\[\]"\)/],
  ['list defaults', 'f Int[] @default([1, 2])', /'\[1,2\]'/, /@default\("\[1,2\]"\)/],
  ['enum lists', 'f Kind[] @default([A])', /'\[\\"A\\"\]'/, /@default\("\[\\"A\\"\]"\)/],
  [
    'list as ARRAY',
    `f String[] @default(dbgenerated("ARRAY['x'::text]"))`,
    /'\[\\"x\\"\]'/,
    /@default\("\[\\"x\\"\]"\)/,
  ],
  ['optional Unsupported', 'f Unsupported("tsvector")?', /^(?![\s\S]*tsvector)/, /tsvector/],
]

test.each(features)('%s is rewritten, and both databases take it', async (_, line, onSqlite, onPostgres) => {
  const { dialects } = await proved(
    postgres(`enum Kind {\n  A @map("a-a")\n  B\n}\n\nmodel T {\n  id Int @id\n  ${line}\n}`),
  )
  expect(dialects.ok).toBe(true)
  expect(dialects.sqlite).toMatch(onSqlite)
  expect(dialects.postgres).toMatch(onPostgres)
})

test('a BigInt key that counts is INTEGER PRIMARY KEY AUTOINCREMENT on SQLite', async () => {
  const { ddl } = await proved(sqlite('model T {\n  id BigInt @id @default(autoincrement())\n}'))
  expect(ddl.sqlite).toContain('"id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT')
  expect(ddl.postgres).toContain('BIGSERIAL')
})

test('index types, operator classes and key names are left to Postgres', async () => {
  const { dialects } = await proved(
    postgres(`model T {
  id   Int    @id(map: "t_pk")
  meta Json
  name String
  @@index([meta(ops: JsonbPathOps)], type: Gin)
  @@index([name(ops: raw("text_pattern_ops"), sort: Desc)], map: "by_name")
  @@index([name], type: Hash)
}`),
  )
  expect(dialects.sqlite).toContain('@@index([meta])')
  expect(dialects.sqlite).toContain('@@index([name(sort: Desc)], map: "by_name")')
  expect(dialects.sqlite).not.toContain('t_pk')
  expect(dialects.postgres).toContain('@@index([meta(ops: JsonbPathOps)], type: Gin)')
})

test('SetNull on a required relation is Restrict on SQLite and stays on Postgres', async () => {
  const { dialects } = await proved(
    postgres(
      'model A {\n  id Int @id\n  bs B[]\n}\nmodel B {\n  id Int @id\n  aId Int\n  a A @relation(fields: [aId], references: [id], onDelete: SetNull)\n}',
    ),
  )
  expect(dialects.sqlite).toContain('onDelete: Restrict')
  expect(dialects.postgres).toContain('onDelete: SetNull')
})

test('schemas, extensions, citext, views and partial indexes', async () => {
  const text = withPreviews(
    '"views", "partialIndexes", "postgresqlExtensions", "driverAdapters", "fullTextSearchPostgres"',
    postgres(
      `model A {
  id    Int    @id
  email String @unique @db.Citext
  open  Boolean
  @@unique([id, email], where: { open: true }, map: "open_only")
  @@map("users")
  @@schema("auth")
}
model B {
  id Int @id
  @@map("Users")
  @@schema("public")
}
view Totals {
  id    Int @unique
  total Int
  @@schema("public")
}`,
      '  url        = env("DATABASE_URL")\n  directUrl  = env("DIRECT_URL")\n  extensions = [citext]\n  schemas    = ["auth", "public"]\n',
    ),
  )
  const { dialects, ddl } = await proved(text)
  expect(dialects.sqlite).toContain('@@map("Users_2")')
  expect(dialects.sqlite).not.toMatch(/schemas|extensions|directUrl|citext/i)
  expect(dialects.postgres).toContain('extensions = [citext]')
  expect(dialects.postgres).not.toMatch(/url\s*=|driverAdapters/)
  expect(ddl.sqlite).toMatch(/open_only.*WHERE/)
})

test.each([
  ['a key of an unknown type', 'id Unsupported("ltree") @id\n  x Int @unique', /must have a type/],
  ['a vector', 'id Int @id\n  v Unsupported("vector(3)")?', /vector search/],
  [
    'an expression without counterpart',
    `id Int @id\n  f String @default(dbgenerated("nextval('s')"))`,
    /no meaning/,
  ],
])('%s is refused with the line, the reason and what to write', (_, fields, reason) => {
  const { ok, findings } = renderDialects(schemaSourceOf(postgres(`model T {\n  ${fields}\n}`)))
  expect(ok).toBe(false)
  const refused = findings.find(({ action }) => action === 'refused')
  expect(refused?.reason).toMatch(reason)
  expect(refused?.line).toBeGreaterThan(5)
  expect(refused?.suggestion).toMatch(/Write (on the line above|in its place): /)
})

test('comments say what one database gets', async () => {
  const { dialects } = await proved(
    postgres(`model T {
  id Int @id
  // outgrow:sqlite omit
  v  Unsupported("vector(3)")?
  a  String @default("y") // outgrow:sqlite a String @default("x")
  // outgrow:postgres @db.Money
  m  Decimal @default(1)
}`).replace('vector(3)', 'tsvector'),
  )
  expect(dialects.sqlite).toContain('a String @default("x")')
  expect(dialects.postgres).toContain('m  Decimal @default(1) @db.Money')
  expect(dialects.sqlite + dialects.postgres).not.toContain('outgrow:')
})

test('overrides with different types are refused, since one client must fit both', async () => {
  const text = sqlite('model T {\n  id Int @id\n  // outgrow:postgres a Int\n  a String\n}')
  await expect(proveDialects(schemaSourceOf(text))).rejects.toMatchObject({ code: 'OUTGROW_SCHEMA_PARITY' })
})

test('comments, block comments and layout survive', () => {
  const body = `/// Documented.
/* a { block } "comment" */
model T {
  /// the key
  id   Int    @id /// trailing
  /* inline */ name String   @default("a // b \\" c") // plain

  @@map("t")
}
`
  const { sqlite: text } = renderDialects(schemaSourceOf(sqlite(body)))
  expect(text).toContain(body.trim())
})

test('both clients agree on names, types, arity and nullability', () => {
  const schema = join(import.meta.dirname, '../../../prisma')
  const read = (provider: string) => {
    const path = join(schema, provider, 'schema.prisma')
    return readDmmf([[path, readFileSync(path, 'utf8')]])
  }
  expect(dmmfDifferences(read('sqlite'), read('postgres'), new Set())).toEqual([])
})

test('a folder of files is one schema, and generating twice changes nothing', async () => {
  const folder = join(temporaryFolder(), 'prisma')
  mkdirSync(join(folder, 'models'), { recursive: true })
  writeFileSync(join(folder, 'base.prisma'), sqlite(''))
  writeFileSync(join(folder, 'models/a.prisma'), 'model A {\n  id Int @id\n  bs B[]\n}\n')
  writeFileSync(
    join(folder, 'models/b.prisma'),
    'model B {\n  id Int @id\n  aId Int\n  a A @relation(fields: [aId], references: [id])\n}\n',
  )
  const first = await generateSchemas({ schema: folder })
  expect(writeGenerated(first)).toHaveLength(2)
  const second = await generateSchemas({ schema: folder })
  expect(staleOutputs(second)).toEqual([])
  expect(writeGenerated(second)).toEqual([])
  writeFileSync(join(folder, 'models/c.prisma'), 'model C {\n  id Int @id\n}\n')
  expect(staleOutputs(await generateSchemas({ schema: folder }))).toHaveLength(2)
})

test.each([
  ['model T {', /not closed/],
  ['modle T {\n}', /not a Prisma schema keyword/],
  [sqlite('model T {\n  id Missing @id\n}'), /Prisma rejects/],
  ['model T {\n  id Int @id\n}', /no datasource/],
  ['datasource db {\n  provider = "mysql"\n}', /mysql/],
])('%j is refused in words', async (text, message) => {
  await expect(proveDialects(schemaSourceOf(text))).rejects.toMatchObject({
    message: expect.stringMatching(message) as string,
  })
})

test('names that Postgres would cut or confuse are shortened there, and stay on SQLite', async () => {
  const long = 'a_rather_long_name_of_an_index_that_goes_on_and_on_until_it_is_longer_than_Postgres_keeps'
  const table = 'a'.repeat(60)
  const { dialects } = await proved(
    sqlite(
      `model A {\n  id Int @id\n  x Int\n  y Int\n\n  @@index([x], map: "${long}")\n  @@unique([x, y], map: "${long}2")\n  @@map("${table}1")\n}\n\nmodel B {\n  id Int @id\n\n  @@map("${table}2")\n}\n`,
    ),
  )
  const maps = [...dialects.postgres.matchAll(/@(?:id|index|unique)\(.*map: "([^"]+)"/g)].map(
    (match) => match[1] ?? '',
  )
  expect(maps).toHaveLength(3)
  expect(maps.every((name) => Buffer.byteLength(name) <= 63)).toBe(true)
  expect(dialects.sqlite).toContain(`map: "${long}"`)
})

test('index names that SQLite takes for one get a number there', async () => {
  const { dialects } = await proved(
    postgres(
      'model A {\n  id Int @id\n  x Int\n\n  @@index([x], map: "same")\n  @@schema("a")\n}\n\nmodel B {\n  id Int @id\n  x Int\n\n  @@index([x], map: "Same")\n  @@schema("b")\n}\n',
      '  schemas = ["a", "b"]\n',
    ),
  )
  expect(dialects.sqlite).toContain('map: "Same_2"')
  expect(dialects.postgres).toContain('map: "Same"')
})

test('what is indexed by a column that is left out is left out with it', async () => {
  const { dialects } = await proved(
    postgres(
      'model A {\n  id Int @id\n  ts Unsupported("tsvector")?\n  // outgrow:sqlite omit\n  b String?\n\n  @@index([ts], type: Gin)\n  @@index([b])\n}\n',
    ),
  )
  expect(dialects.sqlite).not.toContain('@@index')
  expect(
    dialects.findings.filter(({ feature }) => feature.startsWith('@@index')).map(({ action }) => action),
  ).toEqual(['dropped', 'dropped'])
})

test('list defaults keep every digit', async () => {
  const { dialects } = await proved(
    postgres(
      'model A {\n  id Int @id\n  f BigInt[] @default([9007199254740993])\n  h Decimal[] @default([0.1234567890123456789])\n}\n',
    ),
  )
  expect(dialects.postgres).toContain('[9007199254740993]')
  expect(dialects.sqlite).toContain('[0.1234567890123456789]')
})

/** The schema with a refusal's suggestion followed to the letter. */
function followed(text: string, finding: SchemaFinding): string {
  const [, where, line] = /Write (on the line above|in its place): (.*)$/.exec(finding.suggestion ?? '') ?? []
  const lines = text.split('\n')
  lines.splice(finding.line - 1, where === 'in its place' ? 1 : 0, line ?? `no advice for ${finding.feature}`)
  return lines.join('\n')
}

test.each([
  ['a counter that is no id', 'f Int @unique @default(autoincrement())'],
  [
    'an identifier that only Postgres can make',
    'f String @unique @default(dbgenerated("md5(now()::text)")) @map("g")',
  ],
  ['a number by chance', 'f Float @default(dbgenerated("random()"))'],
  [
    'a time to come',
    `f DateTime @default(dbgenerated("now() + make_interval(days => 3)")) @db.Timestamptz(6)`,
  ],
  ['a generated column', 'f String @default(dbgenerated("(id || \'x\'::text)"))'],
  ['a slug', 'f String @default(dbgenerated("make_slug()"))'],
  ['a list that is computed', 'f String[] @default(dbgenerated("make_list()"))'],
  ['a vector', 'f Unsupported("vector(3)")?'],
  ['a vector that is required', 'f Unsupported("vector(3)")'],
  ['a required column that Prisma does not know', 'f Unsupported("tsvector")'],
  ['a key that Prisma does not know', 'f Unsupported("ltree") @unique'],
])('%s is refused, and what is suggested gives equal twins', async (_, field) => {
  let text = postgres(`model A {\n  id Int @id\n  ${field}\n}\n`)
  const refusals = () =>
    renderDialects(schemaSourceOf(text)).findings.filter(({ action }) => action === 'refused')
  expect(refusals()).toHaveLength(1)
  // What is suggested for a required vector is one that may be empty, which is refused for being a vector.
  for (let times = 0; times < 2; times++) for (const finding of refusals()) text = followed(text, finding)
  const { dialects } = await proveDialects(schemaSourceOf(text))
  expect(dialects.findings.filter(({ action }) => action === 'refused')).toEqual([])
})

test('lists stay as they were generated last', async () => {
  const folder = temporaryFolder()
  const schema = join(folder, 'schema.prisma')
  writeFileSync(schema, postgres('model A {\n  id Int @id\n  s String[]\n}\n'))
  writeGenerated(await generateSchemas({ schema, keepLists: true }))
  const again = await generateSchemas({ schema })
  expect(staleOutputs(again)).toEqual([])
  expect(again.dialects.postgres).toMatch(/s String\[\]/)
  const back = await generateSchemas({ schema, keepLists: false })
  expect(back.dialects.postgres).toMatch(/s Json/)
})

test('documentation goes with a member that is left out, and a name in a key’s map is no field of it', () => {
  const { sqlite: text } = renderDialects(
    schemaSourceOf(
      postgres(`model A {
  id Int @id
  /// Where it is,
  /// on the map.
  point Unsupported("point")?
  // stays
  name String
  // outgrow:sqlite url String @default("http://x.y // z") // with a remark
  url String @default("u")
  @@unique([name, id], map: "point")
}
`),
    ),
  )
  expect(text).not.toContain('///')
  expect(text).toContain('// stays\n  name String')
  expect(text).toContain('url String @default("http://x.y // z")\n')
})

test('enums of one name in two schemas are values on SQLite', async () => {
  const { dialects } = await proved(
    postgres(
      ['a', 'b']
        .map(
          (name) =>
            `enum K${name} {\n  x\n  @@map("kind")\n  @@schema("${name}")\n}\nmodel M${name} {\n  id Int @id\n  k K${name}\n  @@schema("${name}")\n}\n`,
        )
        .join('\n'),
      '  schemas = ["a", "b"]\n',
    ),
  )
  expect(dialects.sqlite).not.toContain('@@map')
  expect(dialects.postgres.match(/@@map\("kind"\)/g)).toHaveLength(2)
})
