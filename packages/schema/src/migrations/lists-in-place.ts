import { postgresStatements, postgresTokens, quoteIdentifier } from '@outgrow/databases'
import type { Generated } from '../generate.ts'
import { storageMap } from '../storage-map.ts'

/**
 * A migration in which lists become Json as they are: Prisma would drop the column with its values and add another.
 * @returns the SQL, and the columns that it changes
 */
export function listsInPlace(
  sql: string,
  { findings, dialects }: Generated,
): { sql: string; columns: string[] } {
  const models = storageMap(dialects.postgres)
  const lists = findings.flatMap(({ code, model, field }) => {
    const stored = code === 'OUTGROW_SCHEMA_LIST' ? models.find(({ name }) => name === model) : undefined
    const column = stored?.fields.find(({ name }) => name === field)?.column
    return stored && column !== undefined ? [{ table: stored.table, column }] : []
  })
  const columns: string[] = []
  let text = sql
  for (const { start, end, words } of postgresStatements(sql).toReversed()) {
    if (words[0] !== 'ALTER' || words[1] !== 'TABLE') continue
    const statement = sql.slice(start, end)
    const [head = '', ...clauses] = clausesOf(statement)
    const own = lists.filter(({ table }) => head.trimEnd().endsWith(quoteIdentifier(table)))
    const changed = own.filter(({ column }) => isReplaced(clauses, column))
    if (changed.length === 0) continue
    const kept = clauses.filter((clause) => !changed.some(({ column }) => mentions(clause, column)))
    const inPlace = changed.flatMap(({ column }) => conversion(clauses, column))
    const rebuilt = changed.flatMap(({ column }) => indexesOf(sql, head, column))
    const drops = rebuilt.map((index) => `DROP INDEX IF EXISTS ${index};\n`).join('')
    text = `${text.slice(0, start)}${drops}${head.trimEnd()} ${[...kept, ...inPlace].join(',\n')}${text.slice(end)}`
    columns.push(...changed.map(({ table, column }) => `${table}.${column}`))
  }
  return { sql: text, columns }
}

/** Indexes that the migration makes again, since the column that they are on was to be dropped. */
function indexesOf(sql: string, head: string, column: string): string[] {
  const table = head.replace(/^ALTER TABLE\s+/, '').trim()
  const schema = /^("(?:[^"]|"")*"\.)"/.exec(table)?.[1] ?? ''
  return postgresStatements(sql).flatMap(({ start, end }) => {
    const statement = sql.slice(start, end)
    const [, name, rest = ''] = /^CREATE (?:UNIQUE )?INDEX ("(?:[^"]|"")*") ON (.*)$/s.exec(statement) ?? []
    const isOnColumn = rest.startsWith(table) && rest.slice(table.length).includes(quoteIdentifier(column))
    return name !== undefined && isOnColumn ? [`${schema}${name}`] : []
  })
}

/** `ALTER TABLE "t"`, and each of its clauses. */
function clausesOf(statement: string): string[] {
  const tokens = postgresTokens(statement)
  const first = tokens.findIndex(
    ({ start, end }) => /^(drop|add|alter|rename)$/i.test(statement.slice(start, end)) && start > 0,
  )
  if (first < 0) return [statement]
  const parts = [statement.slice(0, tokens[first]?.start)]
  let depth = 0
  let from = tokens[first]?.start ?? 0
  for (const { start, end, kind } of tokens.slice(first)) {
    const mark = kind === 'mark' ? statement.slice(start, end) : ''
    if (mark === '(') depth++
    if (mark === ')') depth--
    if (mark !== ',' || depth > 0) continue
    parts.push(statement.slice(from, start).trim())
    from = end
  }
  return [...parts, statement.slice(from).trim()]
}

const dropped = (column: string): string => `DROP COLUMN ${quoteIdentifier(column)}`

const added = (clause: string, column: string): string | undefined => {
  const match = /^ADD COLUMN\s+/.exec(clause)
  const rest = match ? clause.slice(match[0].length) : ''
  return rest.startsWith(`${quoteIdentifier(column)} `)
    ? rest.slice(quoteIdentifier(column).length).trim()
    : undefined
}

const mentions = (clause: string, column: string): boolean =>
  clause === dropped(column) || added(clause, column) !== undefined

const isReplaced = (clauses: string[], column: string): boolean =>
  clauses.includes(dropped(column)) && clauses.some((clause) => added(clause, column)?.startsWith('JSONB'))

function conversion(clauses: string[], column: string): string[] {
  const name = quoteIdentifier(column)
  const definition = clauses.map((clause) => added(clause, column)).find((one) => one !== undefined) ?? ''
  const isRequired = definition.startsWith('JSONB NOT NULL')
  const value = /\bDEFAULT (.*)$/s.exec(definition)?.[1]
  return [
    `ALTER COLUMN ${name} DROP DEFAULT`,
    `ALTER COLUMN ${name} SET DATA TYPE JSONB USING ${isRequired ? `coalesce(to_jsonb(${name}), '[]')` : `to_jsonb(${name})`}`,
    ...(isRequired ? [`ALTER COLUMN ${name} SET NOT NULL`] : []),
    ...(value === undefined ? [] : [`ALTER COLUMN ${name} SET DEFAULT ${value}`]),
  ]
}
