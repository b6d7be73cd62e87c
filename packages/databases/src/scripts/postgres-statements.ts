import { statementsOf, type SqlStatement } from './statement.ts'

const token =
  /(?<space>\s+|--[^\n]*)|(?<comment>\/\*)|(?<text>[eE]'[^'\\]*(?:(?:\\[\s\S]|'')[^'\\]*)*'|(?:[uU]&|[bBxXnN])?'[^']*(?:''[^']*)*')|(?<name>(?:[uU]&)?"(?:[^"]|"")*")|(?<dollar>\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$)|(?<word>[\p{L}_][\p{L}\p{N}_$]*)|(?<number>\d[\d.]*(?:[eE][+-]?\d+)?|\$\d+)|(?<mark>[^])/uy

export interface PostgresToken {
  kind: 'word' | 'name' | 'text' | 'mark'
  start: number
  end: number
}

/** Source: PostgreSQL's documentation, "Lexical Structure". White space and comments are left out. */
export function postgresTokens(sql: string): PostgresToken[] {
  const tokens: PostgresToken[] = []
  for (let at = 0; at < sql.length;) {
    token.lastIndex = at
    const { 0: whole, groups = {} } = token.exec(sql) as RegExpExecArray
    const start = at
    at += whole.length
    if (groups.space !== undefined) continue
    if (groups.comment !== undefined) at = endOfComment(sql, start)
    else if (groups.dollar !== undefined) {
      const close = sql.indexOf(groups.dollar, at)
      at = close < 0 ? sql.length : close + groups.dollar.length
      tokens.push({ kind: 'text', start, end: at })
    } else if (groups.text !== undefined) tokens.push({ kind: 'text', start, end: at })
    else if (groups.name !== undefined) tokens.push({ kind: 'name', start, end: at })
    else tokens.push({ kind: groups.word === undefined ? 'mark' : 'word', start, end: at })
  }
  return tokens
}

/** Block comments nest in Postgres. */
function endOfComment(sql: string, start: number): number {
  let depth = 0
  for (const { 0: mark, index } of sql.slice(start).matchAll(/\/\*|\*\//g)) {
    depth += mark === '/*' ? 1 : -1
    if (depth === 0) return start + index + 2
  }
  return sql.length
}

/** The statements of a script, without their `;`. A body of BEGIN ATOMIC … END is part of its statement. */
export function postgresStatements(sql: string): SqlStatement[] {
  return statementsOf(
    sql,
    postgresTokens(sql),
    (words) => words.at(-1) === 'ATOMIC' && words.at(-2) === 'BEGIN',
  )
}
