import { quoteIdentifier, sqlTokens, type SqlToken } from '@outgrow/databases'
import type { SchemaRow } from './schema-rows.ts'

/** As SQLite compares names: only the letters of ASCII have two cases. */
export const nameKey = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())

/**
 * The row of a table or an index, as it is once tables have other names: what `ALTER TABLE … RENAME` makes of it. Other
 * words than names of tables stay as they are written.
 * @param renamed new names, by `nameKey` of the old ones
 */
export function renameInRow(row: SchemaRow, renamed: Map<string, string>): SchemaRow {
  const tableName = renamed.get(nameKey(row.tableName)) ?? row.tableName
  const sql = row.sql === null ? null : renameInSql(row.sql, row, renamed)
  return { ...row, name: renamedName(row, renamed), tableName, sql }
}

function renamedName({ type, name, tableName }: SchemaRow, renamed: Map<string, string>): string {
  const table = renamed.get(nameKey(tableName))
  if (table === undefined) return name
  if (type === 'table') return table
  const implied = `sqlite_autoindex_${tableName}_`
  return name.startsWith(implied) ? `sqlite_autoindex_${table}_${name.slice(implied.length)}` : name
}

function renameInSql(sql: string, row: SchemaRow, renamed: Map<string, string>): string {
  const tokens = sqlTokens(sql)
  const header = headerName(tokens, row.type)
  let text = ''
  let end = 0
  for (const [at, token] of tokens.entries()) {
    const replacement = isName(token) ? renamed.get(nameKey(token.text)) : undefined
    if (replacement === undefined) continue
    const isParent = row.type === 'table' && isWord(tokens[at - 1], 'references')
    const isQualifier = tokens[at + 1]?.text === '.' && nameKey(token.text) === nameKey(row.tableName)
    if (at !== header && !isParent && !isQualifier) continue
    text += sql.slice(end, token.start) + quoteIdentifier(replacement)
    end = token.end
  }
  return text + sql.slice(end)
}

/** Where a CREATE TABLE or CREATE INDEX names its table. */
function headerName(tokens: SqlToken[], type: string): number {
  const word = type === 'index' ? 'on' : 'table'
  // A name may be a word that is quoted, or even `on` itself: CREATE INDEX on_ ON t.
  let at = tokens.findIndex((token, place) => place > (type === 'index' ? 2 : 0) && isWord(token, word)) + 1
  if (isWord(tokens[at], 'if')) at += 3
  return tokens[at + 1]?.text === '.' ? at + 2 : at
}

const isWord = (token: SqlToken | undefined, word: string) =>
  token?.kind === 'word' && token.text.toLowerCase() === word

/** SQLite takes text in single quotes for a name where only a name can stand. */
const isName = ({ kind }: SqlToken) => kind === 'word' || kind === 'name' || kind === 'string'
