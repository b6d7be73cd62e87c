import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { generateSchemas, proveOnPostgres, readDmmf } from '../src/index.ts'
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
