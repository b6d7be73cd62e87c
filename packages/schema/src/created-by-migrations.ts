import { postgresStatements, postgresTokens, sqliteStatements } from '@outgrow/databases'
import { storedBlockName, type SchemaIndex } from './dialects/context.ts'
import type { SchemaFinding } from './dialects/finding.ts'
import type { Provider } from './engine/schema-engine.ts'
import { historyOf, type History } from './migrations/history.ts'
import { argumentOf, attributeOf, fieldsOf, lineOf, stringOf } from './psl/syntax.ts'
import { indexSchema, type SchemaSource } from './source.ts'

/** What a schema uses and only SQL can make, with the statement that makes it and the migration in which it stands. */
export interface CreatedByMigration {
  kind: 'view' | 'function' | 'sequence'
  name: string
  /** Undefined where no migration makes it. */
  made: { provider: Provider; migration: string; statement: string } | undefined
}

/** Views of the schema, and functions and sequences that its defaults call, with what the project's migrations say of them. */
export function objectsCreatedByMigrations(source: SchemaSource): {
  items: CreatedByMigration[]
  findings: SchemaFinding[]
} {
  const index = indexSchema(source)
  const other: Provider = index.source === 'postgres' ? 'sqlite' : 'postgres'
  const histories = [historyOf(source, index.source), historyOf(source, other)]
  const items = new Map<string, CreatedByMigration>()
  const findings: SchemaFinding[] = []
  for (const { kind, name, place } of usesOf(index)) {
    const key = `${kind} ${name}`
    const item = items.get(key) ?? { kind, name, made: creatorOf(histories, kind, name) }
    // A function that no migration makes is the database's own, or is missed when the tables are made.
    if (kind !== 'view' && !item.made) continue
    if (!items.has(key)) findings.push(findingFor(item, place))
    items.set(key, item)
  }
  return { items: [...items.values()], findings }
}

type Place = Pick<SchemaFinding, 'file' | 'line' | 'model' | 'field'>

interface Use {
  kind: CreatedByMigration['kind']
  name: string
}

function usesOf(index: SchemaIndex): (Use & { place: Place })[] {
  return index.files.flatMap((file) =>
    file.blocks.flatMap((block): (Use & { place: Place })[] => {
      const line = (at: number) => lineOf(file.text, at)
      const view = { file: file.path, line: line(block.start), model: block.name, field: null }
      if (block.kind === 'view') return [{ kind: 'view', name: storedBlockName({ block }), place: view }]
      if (block.kind !== 'model' || index.source !== 'postgres') return []
      return fieldsOf(block).flatMap((field) => {
        const value = argumentOf(attributeOf(field, 'default'), 'value', true)?.value
        const sql =
          value?.kind === 'call' && value.name === 'dbgenerated' ? stringOf(value.args[0]) : undefined
        const place = { ...view, line: line(field.start), field: field.name }
        return calledIn(sql ?? '').map((call) => ({ ...call, place }))
      })
    }),
  )
}

/** Functions that an expression calls, and sequences that it counts with. */
function calledIn(sql: string): Use[] {
  const tokens = postgresTokens(sql).map(({ start, end, kind }) => ({ kind, text: sql.slice(start, end) }))
  return tokens.flatMap(({ kind, text }, at): Use[] => {
    if (tokens[at + 1]?.text !== '(' || (kind !== 'word' && kind !== 'name')) return []
    if (text.toLowerCase() !== 'nextval') return [{ kind: 'function', name: bare(text) }]
    const sequence = /^'(?:[^']*\.)?([^']*)'$/.exec(tokens[at + 2]?.text ?? '')?.[1]
    return sequence === undefined ? [] : [{ kind: 'sequence', name: bare(sequence) }]
  })
}

const bare = (name: string): string =>
  name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase()

/** The last statement that makes it: a later one replaces an earlier. */
export function creatorOf(histories: History[], kind: string, name: string): CreatedByMigration['made'] {
  for (const { provider, migrations } of histories) {
    for (const { name: migration, sql } of migrations.toReversed()) {
      const statements = provider === 'postgres' ? postgresStatements(sql) : sqliteStatements(sql)
      const found = statements.findLast(({ start, end, words }) => {
        const head = new RegExp(
          `^CREATE( OR REPLACE)?( MATERIALIZED| TEMP| TEMPORARY)? ${kind.toUpperCase()}\\b`,
        )
        return head.test(words.join(' ')) && nameMadeIn(sql.slice(start, end), kind) === name
      })
      if (found) return { provider, migration, statement: sql.slice(found.start, found.end) }
    }
  }
  return undefined
}

/** `x` of `CREATE VIEW IF NOT EXISTS "public"."x" AS …`. */
function nameMadeIn(statement: string, kind: string): string | undefined {
  const tokens = postgresTokens(statement).map(({ start, end }) => statement.slice(start, end))
  let at = tokens.findIndex((text) => text.toLowerCase() === kind) + 1
  if (tokens[at]?.toLowerCase() === 'if') at += 3
  while (tokens[at + 1] === '.') at += 2
  const name = tokens[at]
  return name === undefined ? undefined : bare(name)
}

function findingFor({ kind, name, made }: CreatedByMigration, place: Place): SchemaFinding {
  const reason = made
    ? `Only the migration ${made.migration} creates this ${kind}: a database created from the schema alone lacks it.`
    : 'No migration creates this view, and a Prisma schema cannot define it: schema migrate leaves a placeholder for its SQL.'
  return {
    code: kind === 'view' ? 'OUTGROW_SCHEMA_VIEW' : 'OUTGROW_SCHEMA_FUNCTION',
    ...place,
    feature: `${kind} ${name}`,
    action: 'noted',
    reason,
    suggestion: made?.statement ?? null,
  }
}
