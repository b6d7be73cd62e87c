import { quoteIdentifier, readTableDetails, sqlTokens, type SqlToken } from '@outgrow/databases'
import type { Plan } from '../../../model/plan.ts'
import { qualified } from '../constraints.ts'
import { Untranslatable } from './translate.ts'

/** Words of a query that mean the same in both; any other word must be a name. */
const words =
  /^(select|from|join|inner|left|outer|cross|on|where|and|or|not|is|null|as|in|between|exists|union|all)$/i
const marks = /^([,.()*=]|<>|!=)$/
const orders = /^[<>]=?$/

/**
 * A view's statement in the target's names. Only what gives the same rows in both is said: columns of tables and views,
 * joined and chosen by what is equal, NULL or a number. What is computed, sorted, grouped or cut is left.
 * @throws Untranslatable
 */
export function viewStatement(sql: string, name: string, schema: string, plan: Plan): string {
  const tokens = sqlTokens(sql)
  const as = tokens.findIndex(({ kind, text }, at) => at > 2 && kind === 'word' && /^as$/i.test(text))
  const open = tokens.findIndex(({ kind, text }) => kind === 'mark' && text === '(')
  const columns =
    open >= 0 && open < as ? tokens.slice(open + 1, as).filter(({ kind }) => kind !== 'mark') : []
  const names = columns.length > 0 ? ` (${columns.map(({ text }) => quoteIdentifier(text)).join(', ')})` : ''
  const body = tokens.slice(as + 1).map((token, at, all) => translated(plan, token, all[at - 1], all[at + 1]))
  return `CREATE VIEW ${qualified({ schema, name })}${names} AS ${body.join(' ')}`
}

function translated(
  plan: Plan,
  token: SqlToken,
  before: SqlToken | undefined,
  after: SqlToken | undefined,
): string {
  const { kind, text } = token
  if (kind === 'number') return text
  if (kind === 'string') return `'${text.replaceAll("'", "''")}'`
  if (kind === 'mark') {
    const besideNumber = before?.kind === 'number' || after?.kind === 'number'
    if (marks.test(text) || (orders.test(text) && besideNumber)) return text
    throw new Untranslatable(`${text} may mean something else in PostgreSQL`)
  }
  if (kind === 'word' && words.test(text)) return text
  if (kind === 'blob' || (after?.kind === 'mark' && after.text === '('))
    throw new Untranslatable(`${text} is computed`)
  const table = plan.tables.find(({ source }) => same(source.name, text))
  if (table && before && /^(from|join|,)$/i.test(before.text)) return qualified(table.target)
  const column = columnNamed(plan, text)
  if (column !== undefined) return quoteIdentifier(column)
  return quoteIdentifier(table ? table.target.name : text)
}

function columnNamed(plan: Plan, text: string): string | undefined {
  for (const { columns, source: table } of plan.tables) {
    if (readTableDetails(table.sql).collations.has(text.toLowerCase()))
      throw new Untranslatable(`${text} is compared case-insensitively`)
    const found = columns.find(({ source }) => same(source, text))
    if (found) return found.target.name
    const computed = table.columns.find(({ name, generated }) => generated && same(name, text))
    if (computed) return computed.name
  }
  return undefined
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
