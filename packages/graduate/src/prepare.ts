import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { Failure, type FailureDetails } from '@outgrow/kit'
import {
  historyOf,
  proveDialects,
  storageMap,
  type SchemaFinding,
  type SchemaSource,
  type StoredMigration,
} from '@outgrow/schema'
import type { StoragePair } from './plan.ts'

/** The schema in both dialects, as a move needs it. */
export interface PreparedSchema {
  storage: StoragePair
  /** SQL that makes the target's tables: the project's own Postgres migrations, else Prisma's DDL. */
  ddl: string
  /** Prisma's DDL for an empty database: one CREATE a table, whatever the migrations' history is. */
  prismaDdl: string
  /** Further schemas (`@@schema`) that the tables lie in. */
  others: string[]
  baseline: StoredMigration[]
  /** False when the baseline is ours and is to be written beside the schema. */
  hasMigrations: boolean
  /** Folder that holds, or will hold, the Postgres schema and its migrations. */
  postgresDirectory: string
  postgresSchema: string
  checksum: string
}

/**
 * Renders and proves the schema for a move, in a process of its own: what the engines take is given back with it, which
 * a thread's memory is not.
 * @throws Failure OUTGROW_SCHEMA_REFUSED naming each feature that has no counterpart
 */
export async function prepareSchema(source: SchemaSource, home: string): Promise<PreparedSchema> {
  const child = fork(new URL('./prepare-process.ts', import.meta.url), {
    serialization: 'advanced',
    stdio: ['ignore', 2, 2, 'ipc'], // stdout may be one JSON document, and nothing else
  })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`preparing the schema ended with ${String(code)}`)
  })
  ended.catch(() => {}) // of interest only while an answer is awaited
  child.send({ source, home })
  const [answer] = (await Promise.race([once(child, 'message'), ended])) as [
    { value: PreparedSchema } | { failure: FailureDetails },
  ]
  child.disconnect()
  if ('failure' in answer) throw new Failure(answer.failure)
  return answer.value
}

/** What `prepareSchema` does, in this thread. */
export async function prepareHere(source: SchemaSource, home: string): Promise<PreparedSchema> {
  const { dialects, findings, ddl } = await proveDialects(source)
  if (!dialects.ok) throw refused(findings)
  const storage = { sqlite: storageMap(dialects.sqlite), postgres: storageMap(dialects.postgres) }
  const postgresDirectory = join(source.home, 'postgres')
  const { migrations } = historyOf(source, 'postgres')
  const others = new Set(
    storage.postgres.map(({ schema }) => schema).filter((schema) => schema !== undefined && schema !== home),
  )
  return {
    storage,
    ddl: migrations.length > 0 ? migrations.map(({ sql }) => sql).join('\n;\n') : ddl.postgres,
    prismaDdl: ddl.postgres,
    others: [...others] as string[],
    baseline: migrations.length > 0 ? migrations : [{ name: '0_init', sql: ddl.postgres }],
    hasMigrations: migrations.length > 0,
    postgresDirectory,
    postgresSchema: dialects.postgres,
    checksum: createHash('sha256').update(dialects.postgres).digest('hex'),
  }
}

function refused(findings: SchemaFinding[]): Failure {
  const lines = findings
    .filter(({ action }) => action === 'refused')
    .map((f) => `${f.file}:${f.line} ${f.model}.${f.field ?? ''} ${f.feature}: ${f.reason}`)
  return new Failure({
    code: 'OUTGROW_SCHEMA_REFUSED',
    message: `The schema uses what the other database does not have: ${lines.join('; ')}`,
    fix: 'See `outgrow generate` for what to write instead.',
  })
}
