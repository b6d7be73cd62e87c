import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { Failure } from '@outgrow/kit'
import {
  historyOf,
  isPending,
  proveDialects,
  storageMap,
  type SchemaFinding,
  type SchemaSource,
} from '@outgrow/schema'
import type { PreparedSchema } from '../model/prepared-schema.ts'

/**
 * Renders and proves the schema for a move.
 * @throws Failure OUTGROW_SCHEMA_REFUSED naming each feature that has no counterpart
 */
export async function renderSchema(source: SchemaSource, home: string): Promise<PreparedSchema> {
  const { dialects, findings, ddl } = await proveDialects(source)
  if (!dialects.ok) throw refused(findings)
  const storage = { sqlite: storageMap(dialects.sqlite), postgres: storageMap(dialects.postgres) }
  const postgresDirectory = join(source.home, 'postgres')
  const history = historyOf(source, 'postgres')
  const { migrations } = history
  const sqlite = historyOf(source, 'sqlite')
  const others = new Set(
    storage.postgres.map(({ schema }) => schema).filter((schema) => schema !== undefined && schema !== home),
  )
  return {
    storage,
    ddl: migrations.length > 0 ? migrations.map(({ sql }) => sql).join('\n;\n') : ddl.postgres,
    prismaDdl: ddl.postgres,
    sqlite: {
      ddl: ddl.sqlite,
      migrations: sqlite.migrations,
      folder: sqlite.folder,
      isPending: await isPending(sqlite, dialects.sqlite),
    },
    others: [...others] as string[],
    baseline: migrations.length > 0 ? migrations : [{ name: '0_init', sql: ddl.postgres }],
    hasMigrations: migrations.length > 0,
    isPending: await isPending(history, dialects.postgres),
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
    message: `The schema uses features that the other database lacks: ${lines.join('; ')}`,
    fix: 'Run `outgrow generate` to see what to write instead.',
  })
}
