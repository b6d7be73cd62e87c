/** One token of SQLite's SQL, with its place. White space and comments are left out. */
export interface SqlToken {
  kind: 'word' | 'name' | 'string' | 'number' | 'blob' | 'mark'
  /** As written; of a name and a string what it means, without quotes. */
  text: string
  start: number
  end: number
}

const token =
  /([\t-\r ]+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|("[^"]*(?:""[^"]*)*"|`[^`]*(?:``[^`]*)*`|\[[^\]]*\])|([xX]'[0-9a-fA-F]*')|('[^']*(?:''[^']*)*')|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|([A-Za-z_$\u{80}-\u{10ffff}][\w$\u{80}-\u{10ffff}]*)|(\|\||<>|!=|==|<=|>=|<<|>>|->>|->|.)/gsu

/**
 * Every character beyond ASCII belongs to a word, a space of Unicode too.
 * Source: SQLite's documentation, "SQL Language Expressions" and "SQLite Keywords" (the four forms of quoting).
 */
export function sqlTokens(sql: string): SqlToken[] {
  const tokens: SqlToken[] = []
  for (const match of sql.matchAll(token)) {
    const [whole, blank, name, blob, string, number, word] = match
    if (blank !== undefined) continue
    const place = { start: match.index, end: match.index + whole.length }
    if (name !== undefined) tokens.push({ kind: 'name', text: unquoteSql(name), ...place })
    else if (blob !== undefined) tokens.push({ kind: 'blob', text: blob.slice(2, -1), ...place })
    else if (string !== undefined) tokens.push({ kind: 'string', text: unquoteSql(string), ...place })
    else if (number !== undefined) tokens.push({ kind: 'number', text: number, ...place })
    else tokens.push({ kind: word === undefined ? 'mark' : 'word', text: whole, ...place })
  }
  return tokens
}

/** What a quoted name or text means; anything else as it is. */
export function unquoteSql(text: string): string {
  const quote = text[0]
  if (quote === '[') return text.slice(1, -1)
  if (quote !== '"' && quote !== '`' && quote !== "'") return text
  return text.slice(1, -1).replaceAll(quote + quote, quote)
}

/** What a CREATE TABLE says that no pragma tells. */
export interface TableDetails {
  /** The expression between the parentheses of each CHECK. */
  checks: { name: string | undefined; expression: string }[]
  /** By column in small letters, the expression of a generated column. */
  generated: Map<string, { expression: string; isStored: boolean }>
  /** Columns of each foreign key that is checked at COMMIT only. */
  deferred: string[][]
  /** By column in small letters, its collation where it is not BINARY, in capitals. */
  collations: Map<string, string>
}

const tableConstraint = /^(constraint|primary|unique|check|foreign)$/i

/** Reads a CREATE TABLE statement as `sqlite_schema` keeps it. */
export function readTableDetails(sql: string): TableDetails {
  const details: TableDetails = { checks: [], generated: new Map(), deferred: [], collations: new Map() }
  const tokens = sqlTokens(sql)
  const open = tokens.findIndex(({ text, kind }) => kind === 'mark' && text === '(')
  if (open < 0) return details
  const close = closing(tokens, open)
  for (const item of splitTokens(tokens.slice(open + 1, close))) {
    const [first] = item
    if (!first) continue
    const isConstraint = first.kind === 'word' && tableConstraint.test(first.text)
    readItem(sql, item, isConstraint ? undefined : first.text, details)
  }
  return details
}

/** One column, or one constraint of the table. */
function readItem(sql: string, item: SqlToken[], column: string | undefined, details: TableDetails): void {
  let name: string | undefined
  let references = column === undefined ? [] : [column]
  for (let at = column === undefined ? 0 : 1; at < item.length; at++) {
    const { kind, text } = item[at] as SqlToken
    if (kind === 'mark' && text === '(') at = closing(item, at)
    if (kind !== 'word') continue
    const next = item[at + 1]
    switch (text.toLowerCase()) {
      case 'constraint':
        name = next?.text
        at++
        break
      case 'check':
        if (next?.text !== '(') break
        details.checks.push({ name, expression: inside(sql, item, at + 1) })
        name = undefined
        at = closing(item, at + 1)
        break
      case 'as':
        if (next?.text !== '(' || column === undefined) break
        details.generated.set(column.toLowerCase(), {
          expression: inside(sql, item, at + 1),
          isStored: item.slice(closing(item, at + 1)).some((one) => /^stored$/i.test(one.text)),
        })
        at = closing(item, at + 1)
        break
      case 'collate':
        if (column !== undefined && next && next.text.toUpperCase() !== 'BINARY')
          details.collations.set(column.toLowerCase(), next.text.toUpperCase())
        at++
        break
      case 'foreign': {
        const list = item.findIndex(({ text: mark }, place) => place > at && mark === '(')
        references = splitTokens(item.slice(list + 1, closing(item, list))).map(([one]) => one?.text ?? '')
        at = closing(item, list)
        break
      }
      case 'deferrable':
        if (/^not$/i.test(item[at - 1]?.text ?? '')) break
        if (/^initially$/i.test(next?.text ?? '') && /^deferred$/i.test(item[at + 2]?.text ?? ''))
          details.deferred.push(references)
        break
      default:
    }
  }
}

/** Index of the token that closes the parenthesis at `open`. */
function closing(tokens: SqlToken[], open: number): number {
  let depth = 0
  for (let at = open; at < tokens.length; at++) {
    const { kind, text } = tokens[at] as SqlToken
    if (kind !== 'mark') continue
    if (text === '(') depth++
    else if (text === ')' && --depth === 0) return at
  }
  return tokens.length
}

/** Cuts at the commas that stand in no parentheses. */
export function splitTokens(tokens: SqlToken[]): SqlToken[][] {
  const parts: SqlToken[][] = [[]]
  let depth = 0
  for (const one of tokens) {
    if (one.kind === 'mark' && one.text === '(') depth++
    if (one.kind === 'mark' && one.text === ')') depth--
    if (one.kind === 'mark' && one.text === ',' && depth === 0) parts.push([])
    else (parts.at(-1) as SqlToken[]).push(one)
  }
  return parts
}

function inside(sql: string, tokens: SqlToken[], open: number): string {
  const last = tokens[closing(tokens, open)]
  return sql.slice((tokens[open] as SqlToken).end, last?.start ?? sql.length).trim()
}
