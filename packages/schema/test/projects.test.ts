import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSqliteInMemory } from '@outgrow/databases'
import { makeDatabase, temporaryFolder } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import {
  generateSchemas,
  proveOnPostgres,
  readDmmf,
  renderDialects,
  schemaSourceOf,
  writeGenerated,
} from '../src/index.ts'
import { dmmfDifferences } from '../src/parity.ts'
import { postgres, proved, sqlite } from './proved.ts'

test('the datasource may have any name, and native types start with it', async () => {
  const { dialects } = await proved(
    'datasource pg {\n  provider = "postgresql"\n}\n\nmodel A {\n  id String @id @default(dbgenerated("gen_random_uuid()")) @pg.Uuid\n  n String @pg.VarChar(20)\n  l Int[] @pg.SmallInt\n  // outgrow:postgres @pg.Date\n  d DateTime @pg.Timestamptz(6)\n}\n',
  )
  expect(dialects.sqlite).not.toContain('@pg')
  expect(dialects.sqlite).toContain('datasource pg {\n  provider = "sqlite"')
  expect(dialects.postgres).toMatch(/d DateTime @pg\.Date$/m)
  const raised = await proved(
    'datasource app {\n  provider = "sqlite"\n}\n\nmodel A {\n  id Int @id\n  at DateTime\n}\n',
  )
  expect(raised.dialects.postgres).toContain('at DateTime @app.Timestamptz(3)')
})

test('the name that older schemas give a key is its name in the database', async () => {
  const { ddl, dialects } = await proved(
    postgres(`model A {
  id Int
  a  Int
  b  Int
  @@id([id, a], name: "A.pkey")
  @@unique([a, b], name: "A.a_b_unique")
  @@unique([b], name: "client_name")
  @@index(name: "A.b_index", fields: [b])
  @@index([a], name: "${'long'.repeat(15)}")
}
`),
  )
  for (const text of [ddl.sqlite, ddl.postgres]) {
    expect(text).toContain('UNIQUE INDEX "A.a_b_unique"')
    expect(text).toContain('INDEX "A.b_index"')
    expect(text).not.toContain('client_name')
  }
  expect(ddl.postgres).toContain('CONSTRAINT "A.pkey" PRIMARY KEY')
  expect(dialects.sqlite).toContain('@@unique([b], name: "client_name")')
  expect(dialects.postgres).toContain('map: "longlong')
})

const generators = `generator client {
  provider        = "prisma-client-js"
  previewFeatures = ["views", "orderByNulls", "fullTextSearchPostgres"]
}

generator erd {
  provider = "prisma-erd-generator"
  output   = "../docs/ERD.svg"
}

generator enums {
  provider = "node ./enums.js"
  output   = "./generated/enums.ts"
}

generator zod {
  provider = "zod-prisma-types"
  output   = "../src/zod"
}

datasource db {
  provider          = "postgresql"
  url               = env("DATABASE_URL")
  directUrl         = env("DIRECT_URL")
}

model A {
  id Int @id
}
`

test.each([5, 6, 7])('what is written fits a project on Prisma %i', async (version) => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'prisma'))
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ devDependencies: { prisma: `^${version}.2.0` } }),
  )
  writeFileSync(join(folder, 'prisma/schema.prisma'), generators)
  const { dialects } = await generateSchemas({ schema: join(folder, 'prisma/schema.prisma') })
  for (const [provider, text] of [
    ['sqlite', dialects.sqlite],
    ['postgres', dialects.postgres],
  ] as const) {
    expect(/ url +=/.test(text)).toBe(version < 7)
    expect(/ directUrl +=/.test(text)).toBe(version < 7 && provider === 'postgres')
    expect(text.includes('orderByNulls')).toBe(version < 7)
    expect(text.includes('fullTextSearchPostgres')).toBe(provider === 'postgres')
    expect(text).toContain(
      'provider        = "prisma-client-js"\\n  output = "./client"'.replace('\\n', '\n'),
    )
    expect(text).toContain(`"../../docs/ERD.${provider}.svg"`)
    expect(text).toContain(`"../generated/enums.${provider}.ts"`)
    expect(text).toContain(`"../../src/zod/${provider}"`)
  }
})

test('parity is also of defaults, keys, relations and their actions', () => {
  const read = (text: string) => readDmmf([['schema.prisma', sqlite(text)]])
  const whole = `model A {
  id Int @id @default(autoincrement())
  a  String @unique @default("x")
  b  Int
  p  B? @relation("r", fields: [pid], references: [id], onDelete: Cascade)
  pid Int?
  @@unique([a, b], name: "ab")
}
model B {
  id Int @id
  as A[] @relation("r")
}
`
  expect(dmmfDifferences(read(whole), read(whole), new Set())).toEqual([])
  const changes: [from: string, to: string, told: string][] = [
    [' @default("x")', '', 'A.a has a default on SQLite and no default on Postgres'],
    [' @unique @default', ' @default', 'A.a is unique on SQLite and not unique on Postgres'],
    [', onDelete: Cascade', '', 'A.p on delete is Cascade on SQLite and the default on Postgres'],
    [', name: "ab"', '', 'A has the keys unique ab(a, b) on SQLite and unique (a, b) on Postgres'],
    ['  @@unique([a, b], name: "ab")\n', '', 'A has the keys unique ab(a, b) on SQLite and  on Postgres'],
  ]
  for (const [from, to, told] of changes) {
    expect(dmmfDifferences(read(whole), read(whole.replace(from, to)), new Set())).toEqual([told])
  }
  const renamed = whole.replaceAll('"r"', '"s"')
  expect(dmmfDifferences(read(whole), read(renamed), new Set())).toContain(
    'A.p belongs to relation r on SQLite and s on Postgres',
  )
})

test('what an older Prisma lacks on SQLite is noted, with the version that has it', async () => {
  const noted = async (range: string) => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ dependencies: { '@prisma/client': range } }))
    const body =
      'enum K {\n  a\n}\nmodel A {\n  id Int @id\n  k  K\n  j  Json?\n  s  String[]\n  t  String\n}\n'
    writeFileSync(join(folder, 'schema.prisma'), postgres(body))
    const { findings } = await generateSchemas({ schema: join(folder, 'schema.prisma') })
    return findings.filter(({ code }) => code === 'OUTGROW_SCHEMA_PRISMA_VERSION').map(({ field }) => field)
  }
  expect(await noted('~6.1.0')).toEqual(['k', 'j', 's'])
  expect(await noted('5.22.0')).toEqual(['k', 'j', 's'])
  expect(await noted('^6.2.1')).toEqual([])
  expect(await noted('latest')).toEqual([])
})

test('a folder of 150 files, with schemas that share an enum, partial indexes and relations without keys', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'prisma/models'), { recursive: true })
  writeFileSync(
    join(folder, 'prisma/main.prisma'),
    `generator client {\n  provider = "prisma-client"\n  output = "../client"\n  previewFeatures = ["partialIndexes"]\n}\n\ndatasource db {\n  provider = "postgresql"\n  schemas = ["app", "audit"]\n  relationMode = "prisma"\n}\n\nenum Kind {\n  a\n  b\n\n  @@schema("app")\n}\n`,
  )
  for (let at = 0; at < 150; at++) {
    const back = at < 149 ? `\n\tnext M${at + 1}[]` : ''
    const from =
      at === 0
        ? ''
        : `\n\tprior M${at - 1}? @relation(fields: [priorId], references: [id])\n\tpriorId Int?\n\t@@index([priorId])`
    const text = `/* file ${at} */\nmodel M${at} {\n\tid Int @id @default(autoincrement()) // counts\n\tkind Kind @default(b)\n\told String? @ignore${from}${back}\n\t@@index([kind], where: { old: { not: null } }, map: "some of ${at}")\n\t@@map("things")\n\t@@schema("${at % 2 === 0 ? 'app' : 'audit'}")\n}\n`
    writeFileSync(
      join(folder, `prisma/models/m${at}.prisma`),
      text.replaceAll('things', `things ${at >> 1}`).replaceAll('\n', at % 3 === 0 ? '\r\n' : '\n'),
    )
  }
  const generated = await generateSchemas({ schema: join(folder, 'prisma') })
  expect(generated.dialects.ok).toBe(true)
  await proveOnPostgres(generated, { server: inject('postgresUrl') })
  const { sqlite: text, postgres: other } = generated.dialects
  expect([text.match(/^model /gm)?.length, other.match(/^model /gm)?.length]).toEqual([150, 150])
  expect([text.match(/relationMode/g)?.length, text.match(/@@schema/g)?.length ?? 0]).toEqual([1, 0])
  expect(generated.ddl.sqlite.match(/^CREATE INDEX .* WHERE /gm)).toHaveLength(150)
  // Two schemas have a table of one name: SQLite has one namespace.
  expect(text).toContain('@@map("things 7_2")')
})

/** Defaults that are to be the same in both databases, each with its field. */
const sameDefaults: [type: string, sql: string][] = [
  ['DateTime @db.Timestamptz(6)', "(now() + '7 days'::interval)"],
  ['DateTime @db.Timestamptz(6)', "(CURRENT_TIMESTAMP + '01:00:00'::interval)"],
  ['DateTime @db.Timestamptz(6)', "(now() - '1 day 02:30:00'::interval)"],
  ['DateTime @db.Timestamptz(6)', "(now() + '1 year 2 mons'::interval)"],
  ['DateTime @db.Date', 'CURRENT_DATE'],
  ['DateTime @db.Date', 'now()::date'],
  ['DateTime @db.Date', '(CURRENT_DATE + 30)'],
  ['DateTime', "(CURRENT_DATE + '30 days'::interval)"],
  ['DateTime', "'2024-11-01 00:00:00'::timestamp without time zone"],
  ['DateTime @db.Timestamptz(6)', "'2024-11-01 00:00:00+02'::timestamp with time zone"],
  ['Bytes', "'abc'::bytea"],
  ['Boolean', "'y'::boolean"],
]

test.each(sameDefaults)('%s has the same default on both: %s', async (type, sql) => {
  const { ddl } = await proved(
    postgres(
      `model A {\n  id Int @id\n  f ${type.split(' ')[0]} @default(dbgenerated("${sql}")) ${type.split(' ')[1] ?? ''}\n}\n`,
    ),
  )
  const target = await makeDatabase(inject('postgresUrl'))
  const database = openSqliteInMemory()
  database.exec(`${ddl.sqlite}; INSERT INTO "A" (id) VALUES (1)`)
  await target.query(ddl.postgres)
  await target.query('INSERT INTO "A" (id) VALUES (1)')
  const isTime = type.startsWith('DateTime')
  const here = database
    .prepare(isTime ? `SELECT unixepoch(f) AS f FROM "A"` : 'SELECT hex(f) AS f FROM "A"')
    .get() as { f: unknown }
  const [there] = await target.query(
    isTime
      ? `SET timezone = 'UTC'`
      : type === 'Bytes'
        ? `SELECT upper(encode(f, 'hex')) AS f FROM "A"`
        : `SELECT CASE WHEN f THEN '31' ELSE '30' END AS f FROM "A"`,
  )
  const [time] = isTime
    ? await target.query(`SELECT extract(epoch FROM f)::float AS f FROM "A"`)
    : [undefined]
  // Both clocks run on between the two inserts, on a slow machine for a while.
  const seconds = Math.abs(Number(here.f) - Number(time?.f))
  const halfAnHour = 1800
  expect(isTime ? seconds < halfAnHour : here.f === there?.f).toBe(true)
  database.close()
  await target.drop()
})

test.each([
  'DateTime @default(dbgenerated("\'infinity\'::timestamp"))',
  'Float @default(dbgenerated("(5 / (2)::double precision)"))',
  "String[] @default(dbgenerated(\"ARRAY[('a'::text || 'b'::text)]\"))",
  'Boolean @default(dbgenerated("\'maybe\'::boolean"))',
])('what would be another value on SQLite is refused: %s', (field) => {
  const { findings } = renderDialects(schemaSourceOf(postgres(`model A {\n  id Int @id\n  f ${field}\n}\n`)))
  expect(findings.filter(({ action }) => action === 'refused')).toHaveLength(1)
})

test('a schema of one’s own is never overwritten, nor a generated one taken for a source', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'postgres'))
  const own = sqlite('model Precious {\n  id Int @id\n}\n')
  writeFileSync(join(folder, 'postgres/schema.prisma'), own)
  writeFileSync(join(folder, 'schema.prisma'), sqlite('model A {\n  id Int @id\n}\n'))
  const generated = await generateSchemas({ schema: join(folder, 'schema.prisma') })
  expect(() => writeGenerated(generated)).toThrow('exists but was not generated')
  expect([
    readFileSync(join(folder, 'postgres/schema.prisma'), 'utf8'),
    existsSync(join(folder, 'sqlite')),
  ]).toEqual([own, false])
  rmSync(join(folder, 'postgres'), { recursive: true })
  writeGenerated(generated)
  await expect(generateSchemas({ schema: join(folder, 'sqlite/schema.prisma') })).rejects.toMatchObject({
    code: 'OUTGROW_SCHEMA_GENERATED',
  })
})

test('outputs start from the file that their generator is in, and absolute ones are apart too', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'prisma/schema/gen'), { recursive: true })
  writeFileSync(join(folder, 'prisma/schema/main.prisma'), sqlite('model A {\n  id Int @id\n}\n'))
  writeFileSync(
    join(folder, 'prisma/schema/gen/gen.prisma'),
    'generator a {\n  provider = "prisma-client"\n  output = "../../../src/client"\n}\ngenerator b {\n  provider = "prisma-client"\n  output = "/srv/client"\n}\ngenerator c {\n  provider = "prisma-client-js"\n  // outgrow:sqlite output = "../here"\n  output = "../there"\n}\n',
  )
  const { dialects } = await generateSchemas({ schema: join(folder, 'prisma/schema') })
  expect(dialects.sqlite).toContain('output = "../../src/client/sqlite"')
  expect(dialects.sqlite).toContain('output = "/srv/client/sqlite"')
  expect(dialects.sqlite.match(/output = "\.\.\/here"/g)).toHaveLength(1)
  expect(dialects.sqlite).not.toContain('./client"\n  output')
})

test('keys without brackets, and members on a line of their block', async () => {
  const { dialects, ddl } = await proved(
    postgres(`model A {
  id Int @id
  a Int
  b Int
  loc Unsupported("point")? /* the
  place */
  tags String[]
  @@index(a)
  @@index(b)
  @@index(loc, type: Gist)
  @@index(tags(ops: ArrayOps), type: Gin)
}
model B { loc Unsupported("point")?
  id Int @id
}
`),
  )
  expect(ddl.postgres.match(/CREATE INDEX "\w+"/g)).toEqual([
    'CREATE INDEX "A_a_idx"',
    'CREATE INDEX "A_b_idx"',
    'CREATE INDEX "A_loc_idx"',
    'CREATE INDEX "A_tags_idx"',
  ])
  expect(dialects.sqlite).toContain('/* the')
})

test('a comment that nearly speaks to the generator is not passed over', () => {
  for (const comment of ['// outgrow:sqllite omit', '// outgrow:sqlite: omit', '/// outgrow:sqlite omit']) {
    const text = sqlite(`model A {\n  id Int @id\n  ${comment}\n  a Int\n}\n`)
    expect(() => renderDialects(schemaSourceOf(text))).toThrow('is not recognized')
  }
  const text = postgres('model A {\n  id Int @id\n  //outgrow:postgresql omit\n  a Int?\n}\n')
  expect(renderDialects(schemaSourceOf(text)).postgres).not.toContain('a Int')
})
