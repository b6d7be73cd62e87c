/** One statement of an SQL script, with its place. */
export interface SqlStatement {
  /** Offsets in the script, from the first word to the last character before `;`. */
  start: number
  end: number
  /** The bare words of the statement in capitals, in order: no names in quotes, no texts, no comments. */
  words: string[]
}

/** A script that cannot run whole or not at all, or a statement that the database refused. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError'
  /** 1-based line of the script. */
  readonly line: number
  /** True when nothing has been run: the script itself is at fault. */
  readonly beforehand: boolean
  /** What to do about it, where the script itself is at fault. */
  readonly fix: string | undefined

  constructor(
    message: string,
    place: { line: number; beforehand?: boolean; fix?: string | undefined; cause?: unknown },
  ) {
    super(message, { cause: place.cause })
    this.line = place.line
    this.beforehand = place.beforehand ?? false
    this.fix = place.fix
  }
}

/**
 * Cuts a script at each `;` that stands in no body.
 * @param opensBody whether a body begins behind these words of a statement; it ends at its END
 */
export function statementsOf(
  sql: string,
  tokens: { kind: string; start: number; end: number }[],
  opensBody: (words: string[]) => boolean,
): SqlStatement[] {
  const statements: SqlStatement[] = []
  let current: SqlStatement | undefined
  let cases = 0
  let inBody = false
  let parentheses = 0
  let before = ''
  for (const { kind, start, end } of tokens) {
    const mark = kind === 'mark' ? (sql[start] as string) : ''
    if (mark === ';' && !inBody && parentheses === 0) {
      if (current) statements.push(current)
      current = undefined
      before = ''
      continue
    }
    current ??= { start, end, words: [] }
    current.end = end
    if (mark === '(') parentheses++
    if (mark === ')' && parentheses > 0) parentheses--
    if (kind === 'word' && before !== '.') {
      const word = sql.slice(start, end).toUpperCase()
      current.words.push(word)
      // A column may be called end: a body ends behind a semicolon only.
      if (!inBody) inBody = opensBody(current.words)
      else if (word === 'CASE') cases++
      else if (word === 'END' && cases > 0) cases--
      else if (word === 'END' && before === ';') inBody = false
    }
    before = mark === '' ? kind : mark
  }
  if (current) statements.push(current)
  return statements
}

/** 1-based line of an offset. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

/** The script with these statements blanked out; every other character stays where it is. */
export function withoutStatements(sql: string, statements: SqlStatement[]): string {
  let text = sql
  for (const { start, end } of statements) {
    text = text.slice(0, start) + text.slice(start, end).replaceAll(/[^\n]/g, ' ') + text.slice(end)
  }
  return text
}
