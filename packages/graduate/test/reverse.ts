import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { openSqliteReadonly, quoteIdentifier, withPostgres } from '@outgrow/databases'
import { proveDialects, schemaSourceOf } from '@outgrow/schema'
import { temporaryFolder, type TestDatabase } from '@outgrow/testing'
import { runReverse, type Reversed, type ReverseRun } from '../src/index.ts'
import type { Refusal } from '../src/model/finding.ts'
import { emptyTarget, postgresSchema } from './move.ts'

export interface Reversing {
  /** A Prisma schema. */
  schema: string
  /** SQL that is run on a Postgres which has the schema's tables. */
  fill: string
  /** Runs instead of the schema's own DDL. */
  ddl?: string
  more?: Partial<ReverseRun>
}

/** A Postgres that holds a schema's tables and what `fill` makes. */
export async function filledPostgres({ schema, fill, ddl }: Omit<Reversing, 'more'>): Promise<TestDatabase> {
  const { ddl: own } = await proveDialects(schemaSourceOf(schema, temporaryFolder()))
  const database = await emptyTarget()
  await withPostgres(database.url, async (client) => {
    await client.query(ddl ?? own.postgres)
    await client.query(fill)
  })
  return database
}

/** Where a test's file goes. */
export const newPath = (): string => join(temporaryFolder(), 'app.db')

/** Moves a Postgres into a new file. */
export async function reverse(request: Reversing): Promise<{ path: string; result: Reversed }> {
  const database = await filledPostgres(request)
  try {
    const path = request.more?.to ?? newPath()
    return { path, result: await reverseFrom(database.url, request.schema, { to: path, ...request.more }) }
  } finally {
    await database.drop()
  }
}

export function reverseFrom(
  from: string,
  schema: string,
  more: Partial<ReverseRun> & { to: string },
): Promise<Reversed> {
  return runReverse({
    from,
    schema: schemaSourceOf(schema, temporaryFolder()),
    progress: () => {},
    signal: new AbortController().signal,
    ...more,
  })
}

/** What a file answers to a query, without any of the product's code in between. */
export function ask(path: string, sql: string): Record<string, unknown>[] {
  const database = openSqliteReadonly(path)
  try {
    return database.prepare(sql).safeIntegers(true).all() as Record<string, unknown>[]
  } finally {
    database.close()
  }
}

/** Storage class and literal of every column of a table's only row. */
export function stored(path: string, table: string, columns: string[]): string[] {
  const cells = columns.map(
    (name) => `typeof(${quoteIdentifier(name)}) || ' ' || quote(${quoteIdentifier(name)})`,
  )
  const [row = {}] = ask(
    path,
    `SELECT ${cells.map((cell, at) => `${cell} AS c${at}`).join(', ')} FROM ${quoteIdentifier(table)}`,
  )
  return Object.values(row) as string[]
}

/** Of whom each may have another for a boss. */
export const people = postgresSchema(`model Person {
  id    Int    @id @default(autoincrement())
  email String @unique
  boss  Person? @relation("boss", fields: [bossId], references: [id])
  bossId Int?
  team  Person[] @relation("boss")
}`)
export const threePeople = `INSERT INTO "Person" (email, "bossId") VALUES ('a', NULL), ('b', 1), ('c', 2)`

/** What is in a file's folder. */
export const beside = (path: string) => readdirSync(dirname(path))

export async function failureOf(work: Promise<unknown>): Promise<Refusal> {
  try {
    await work
  } catch (error) {
    return error as Refusal
  }
  throw new Error('it was expected to fail')
}
