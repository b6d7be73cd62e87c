import { quoteIdentifier, sqlTokens } from '@outgrow/databases'
import type { Plan } from '../plan.ts'
import { qualified } from '../target/structure.ts'
import { Untranslatable } from './translate.ts'

/** What Postgres reads and takes for something else, or computes in another way. */
const otherwise =
  /^(like|glob|match|regexp|collate|typeof|random|strftime|date|time|datetime|julianday|unixepoch|printf|format|group_concat|total|ifnull|iif|rowid|_rowid_|instr|substr|round|json_.*|isnull|notnull|indexed)$/i

/**
 * A view's statement in the target's names: the query as it is, with tables and columns quoted.
 * @throws Untranslatable for what Postgres would read in another way
 */
export function viewStatement(sql: string, name: string, schema: string, plan: Plan): string {
  const tokens = sqlTokens(sql)
  const as = tokens.findIndex(({ kind, text }, at) => at > 2 && kind === 'word' && /^as$/i.test(text))
  const open = tokens.findIndex(({ kind, text }) => kind === 'mark' && text === '(')
  const hasNames = open >= 0 && open < as
  const names = hasNames ? ` ${sql.slice(tokens[open]?.start, tokens[as - 1]?.end)}` : ''
  let body = ''
  let from = tokens[as]?.end ?? 0
  for (const [at, { kind, text, start, end }] of tokens.entries()) {
    if (at <= as) continue
    body += sql.slice(from, start)
    from = end
    const written = sql.slice(start, end)
    if (kind === 'word' && otherwise.test(text) && !isColumn(plan, text))
      throw new Untranslatable(`${text} may mean something else in PostgreSQL`)
    if (kind === 'mark' && /^([/%]|==|->>?)$/.test(text))
      throw new Untranslatable(`${text} may mean something else in PostgreSQL`)
    const isName = kind === 'name' || (kind === 'word' && tokens[at + 1]?.text !== '(')
    body += isName ? nameIn(plan, text, written, tokens[at - 1]?.text) : written
  }
  return `CREATE VIEW ${qualified({ schema, name })}${names} AS${body}${sql.slice(from)}`
}

function nameIn(plan: Plan, text: string, written: string, before: string | undefined): string {
  const table = plan.tables.find(({ source }) => same(source.name, text))
  if (table && /^(from|join|,)$/i.test(before ?? '')) return qualified(table.target)
  const column = columnNamed(plan, text)
  if (column !== undefined) return quoteIdentifier(column)
  if (table) return quoteIdentifier(table.target.name)
  return written.startsWith('"') || /^[\w$]/u.test(written) ? written : quoteIdentifier(text)
}

function columnNamed(plan: Plan, text: string): string | undefined {
  for (const { columns, source: table } of plan.tables) {
    const found = columns.find(({ source }) => same(source, text))
    if (found) return found.target.name
    const computed = table.columns.find(({ name, generated }) => generated && same(name, text))
    if (computed) return computed.name
  }
  return undefined
}

function isColumn(plan: Plan, text: string): boolean {
  return columnNamed(plan, text) !== undefined
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
