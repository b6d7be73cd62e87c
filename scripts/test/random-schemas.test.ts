import { execFile } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  emptyCounters,
  openSqlite,
  openSqliteReadonly,
  parsePostgresUrl,
  postgresAdapterFactory,
  quoteIdentifier,
  readSourceTables,
  stockSqliteAdapter,
  TransactionScope,
  withPostgres,
} from '@outgrow/databases'
import { runReverse } from '@outgrow/graduate'
import { generateSchemas, readSchemaSource, writeGenerated } from '@outgrow/schema'
import { makeDatabase, temporaryFolder } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { outgrow } from '@outgrow/testing/cli'
import { Chance, randomSchema, randomValue, type RandomField, type RandomSchema } from './random-schema.ts'

const runs = Math.ceil(Number(process.env.OUTGROW_PROPERTY_RUNS ?? 3) / 3)
const firstSeed = Number(process.env.OUTGROW_SEED ?? Date.now() % 1_000_000)
const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const prisma = createRequire(join(root, 'package.json')).resolve('prisma/build/index.js')

type Row = Record<string, unknown>
type Table = { create(query: { data: Row }): Promise<Row>; findMany(query: object): Promise<Row[]> }
type Client = Record<string, Table> & { $disconnect(): Promise<void> }

/** The clients of both dialects, made by Prisma itself. */
async function makeClients(
  folder: string,
): Promise<Record<'sqlite' | 'postgres', new (options: object) => Client>> {
  symlinkSync(join(root, 'packages/db/node_modules'), join(folder, 'node_modules'))
  const made = await Promise.all(
    (['sqlite', 'postgres'] as const).map(async (provider) => {
      await run(
        process.execPath,
        [prisma, 'generate', '--schema', `${provider}/schema.prisma`, '--no-hints'],
        {
          cwd: folder,
          env: {
            ...process.env,
            PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
            PRISMA_HIDE_UPDATE_MESSAGE: '1',
            CHECKPOINT_DISABLE: '1',
          },
        },
      )
      const path = join(folder, 'client', provider, 'client.ts')
      return [
        provider,
        ((await import(path)) as { PrismaClient: new (options: object) => Client }).PrismaClient,
      ]
    }),
  )
  return Object.fromEntries(made) as Record<'sqlite' | 'postgres', new (options: object) => Client>
}

/** Rows for every model; each is the same for both clients, and leaves some constants to the database. */
function rowsFor(chance: Chance, { models, enums }: RandomSchema): Map<string, Row[]> {
  const all = new Map<string, Row[]>()
  for (const { name, fields, parents } of models) {
    const rows: Row[] = []
    for (let row = 1; row <= 6; row++) {
      const data: Row = {}
      for (const field of fields) {
        const parent = parents.find((one) => one.field === field.name)
        const value = parent
          ? parentKey(chance, all.get(parent.model) ?? [], parent.optional)
          : valueFor(chance, field, row, enums)
        if (value !== undefined) data[field.name] = value
      }
      rows.push(data)
    }
    all.set(name, rows)
  }
  return all
}

function parentKey(chance: Chance, rows: Row[], optional: boolean): unknown {
  return optional && chance.maybe(0.3) ? undefined : chance.pick(rows).id
}

function valueFor(chance: Chance, field: RandomField, row: number, enums: RandomSchema['enums']): unknown {
  if (field.arity === '[]') return chance.pick([[], [1, 2], ['a', "it's"]])
  // Json has two kinds of null, so it is left out; anything else might get its default then.
  if (field.arity === '?' && chance.maybe(0.3)) return field.type === 'Json' ? undefined : null
  if (field.isConstant && chance.maybe(0.4)) return undefined
  return randomValue(chance, field, row, enums)
}

/** Everything that a client reads, in a form that can be compared. */
async function readAll(client: Client, { models }: RandomSchema): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = {}
  for (const { name } of models) {
    const rows = await (client[lower(name)] as Table).findMany({})
    all[name] = rows.map((row) => JSON.stringify(plain(row))).toSorted()
  }
  return all
}

/** By table, every stored value with its storage class. JSON is compared as it is parsed: Postgres keeps no spaces and no order. */
function storedValues(path: string): Record<string, string[]> {
  const database = openSqliteReadonly(path)
  const all: Record<string, string[]> = {}
  for (const { name, columns } of readSourceTables(database).filter(({ owner }) => owner === undefined)) {
    const cells = columns.map((column) => {
      const own = quoteIdentifier(column.name)
      return `typeof(${own}), quote(${own})`
    })
    const rows = database
      .prepare(`SELECT ${cells.join(', ')} FROM ${quoteIdentifier(name)}`)
      .raw()
      .all() as string[][]
    const isJson = columns.map(({ declaredType }) => declaredType === 'JSONB')
    all[name] = rows
      .map((row) =>
        row.map((cell, at) => (isJson[(at - 1) / 2] && cell !== 'NULL' ? parsed(cell) : cell)).join(' '),
      )
      .toSorted()
  }
  database.close()
  return all
}

function parsed(quoted: string): string {
  const text = quoted.replaceAll(/^'|'$/g, '').replaceAll("''", "'")
  return JSON.stringify(plain(JSON.parse(text)))
}

const lower = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1)

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return value.map(plain)
  if (value === null || typeof value !== 'object') return value
  if ('toFixed' in value) return `${JSON.stringify(value)}d` // Prisma's Decimal
  const entries = Object.entries(value).map(([key, one]) => [key, plain(one)] as const)
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Moves a Postgres into a new file, with nothing left to say. */
async function reverse(from: string, to: string, schema: string): Promise<void> {
  const { findings, tables } = await runReverse({
    from,
    to,
    schema: readSchemaSource(schema),
    progress: () => {},
    signal: new AbortController().signal,
  })
  expect([findings, tables.filter(({ digestMatch }) => !digestMatch)]).toEqual([[], []])
}

test.each(Array.from({ length: runs }, (_, at) => firstSeed + at))(
  'a random schema gives twins whose clients hold the same, before and after a move, and back in a file (seed %i)',
  async (seed) => {
    const chance = new Chance(seed)
    const schema = randomSchema(chance)
    const folder = temporaryFolder()
    const path = join(folder, 'schema.prisma')
    writeFileSync(path, schema.text)
    const generated = await generateSchemas({ schema: path })
    expect(generated.findings.filter(({ action }) => action === 'refused')).toEqual([])
    writeGenerated(generated)
    mkdirSync(join(folder, 'client'), { recursive: true })
    const clients = await makeClients(folder)

    const file = join(folder, 'app.db')
    const database = openSqlite(file)
    database.exec(generated.ddl.sqlite)
    database.close()
    const target = await makeDatabase(inject('postgresUrl'))
    await withPostgres(target.url, (client) => client.query(generated.ddl.postgres))
    const onPostgres = async (url: string) =>
      new clients.postgres({
        adapter: await postgresAdapterFactory({
          url: parsePostgresUrl(url),
          counters: emptyCounters(),
          scope: new TransactionScope(),
        }),
      })
    const readFile = async (path: string) => {
      const client = new clients.sqlite({ adapter: stockSqliteAdapter(path) })
      const all = await readAll(client, schema)
      await client.$disconnect()
      return all
    }
    const sqlite = new clients.sqlite({ adapter: stockSqliteAdapter(file) })
    const postgres = await onPostgres(target.url)
    for (const [name, rows] of rowsFor(chance, schema)) {
      for (const data of rows) {
        await (sqlite[lower(name)] as Table).create({ data })
        await (postgres[lower(name)] as Table).create({ data })
      }
    }
    const before = await readAll(sqlite, schema)
    expect(await readAll(postgres, schema)).toEqual(before)
    await sqlite.$disconnect()
    await postgres.$disconnect()
    const written = join(folder, 'written.db')
    await reverse(target.url, written, path)
    expect(await readFile(written)).toEqual(before)
    await target.drop()

    const empty = await makeDatabase(inject('postgresUrl'))
    const moved = await outgrow(['migrate', '--from', file, '--to', empty.url, '--schema', path])
    expect([moved.code, moved.document.findings]).toEqual([0, []])
    const arrived = await onPostgres(empty.url)
    expect(await readAll(arrived, schema)).toEqual(before)
    await arrived.$disconnect()

    const back = join(folder, 'back.db')
    await reverse(empty.url, back, path)
    expect(await readFile(back)).toEqual(before)
    expect(storedValues(back)).toEqual(storedValues(file))
    await empty.drop()
  },
)
