import { quoteIdentifier, quoteLiteral, sqlTokens, type SqlToken } from '@outgrow/databases'
import type { TargetColumn } from '../../../model/table.ts'
import { sqlType } from '../../../types/value-types.ts'
import type { ValueKind } from '../../../types/value-type.ts'

/** What an expression's value is, as far as both databases' operators ask. */
type Kind = ValueKind | 'null'

interface Value {
  sql: string
  kind: Kind
  /** Set for the literals 0 and 1, which stand for a boolean beside a boolean column. */
  flag?: '0' | '1'
  /** By which it is compared: written with COLLATE, or the column's own. Of anything computed there is none. */
  collation?: { name: string; isWritten: boolean } | undefined
}

/** Why an expression has no counterpart in Postgres, or none that is known to mean the same. */
export class Untranslatable extends Error {}

/** A column as an expression may name it. */
export interface NamedColumn {
  /** Name in SQLite. */
  source: string
  target: TargetColumn
  /** SQLite's collation where it is not BINARY. */
  collation: string | undefined
  /** Whether SQLite turns numbers into text in this column. */
  isText: boolean
}

/**
 * Says an expression of SQLite (of a CHECK, an index, a generated column, a default) in Postgres' SQL. Only what means the
 * same on both is taken: comparisons, arithmetic, text functions; LIKE and lower() fold ASCII alone, as SQLite does.
 * Sources: SQLite's "SQL Language Expressions" and "Built-In Scalar SQL Functions".
 * @throws Untranslatable
 */
export function translateExpression(expression: string, columns: NamedColumn[]): { sql: string; kind: Kind } {
  return new Translator(sqlTokens(expression), columns).whole()
}

/** As `translateExpression`, for a term of an index: what is the same by its collation is the same text. */
export function translateTerm(expression: string, columns: NamedColumn[]): string {
  const value = new Translator(sqlTokens(expression), columns).whole()
  return asCompared(value, value.collation?.name)
}

const comparisons: Record<string, string> = {
  '=': '=',
  '==': '=',
  '<>': '<>',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
}

const rowOperators = /^(==?|<>|!=|[<>]=?|is|isnull|notnull|not|in|between|like|glob)$/i

class Translator {
  readonly #tokens: SqlToken[]
  readonly #columns: NamedColumn[]
  #at = 0

  constructor(tokens: SqlToken[], columns: NamedColumn[]) {
    this.#tokens = tokens
    this.#columns = columns
  }

  whole(): Value {
    const value = this.#or()
    const rest = this.#peek()
    if (rest) throw new Untranslatable(`${rest.text} is not supported`)
    return value
  }

  #or(): Value {
    let left = this.#and()
    while (this.#word('or')) left = boolean(`(${asBoolean(left)} OR ${asBoolean(this.#and())})`)
    return left
  }

  #and(): Value {
    let left = this.#not()
    while (this.#word('and')) left = boolean(`(${asBoolean(left)} AND ${asBoolean(this.#not())})`)
    return left
  }

  #not(): Value {
    if (this.#word('not')) return boolean(`NOT ${asBoolean(this.#not())}`)
    return this.#comparison()
  }

  #comparison(): Value {
    let left = this.#sum()
    // SQLite ranks < before =, and Postgres takes neither twice: what stands in a row is left.
    for (let isCompared = false; ; isCompared = true) {
      const token = this.#peek()
      const goesOn = token !== undefined && rowOperators.test(token.text)
      if (isCompared && goesOn) throw new Untranslatable('chained comparisons are not supported')
      const operator = comparisons[this.#peek()?.kind === 'mark' ? (this.#peek()?.text ?? '') : '']
      if (operator !== undefined) {
        this.#at++
        left = compared(left, operator, this.#sum())
      } else if (this.#word('isnull')) left = boolean(`${left.sql} IS NULL`)
      else if (this.#word('notnull')) left = boolean(`${left.sql} IS NOT NULL`)
      else if (this.#word('is')) left = this.#is(left)
      else {
        const negated = this.#word('not')
        if (this.#word('in')) left = this.#in(left, negated)
        else if (this.#word('between')) left = this.#between(left, negated)
        else if (this.#word('like')) left = boolean(`${negated ? 'NOT ' : ''}${this.#like(left)}`)
        else if (this.#word('glob')) left = boolean(`${negated ? 'NOT ' : ''}${this.#glob(left)}`)
        else if (negated && this.#word('null')) left = boolean(`${left.sql} IS NOT NULL`)
        else if (negated) throw new Untranslatable('NOT is not supported here')
        else return left
      }
    }
  }

  #is(left: Value): Value {
    const negated = this.#word('not')
    if (this.#word('distinct')) throw new Untranslatable('IS DISTINCT FROM is not supported')
    if (this.#word('null')) return boolean(`${left.sql} IS ${negated ? 'NOT ' : ''}NULL`)
    const [a, b] = alike(left, this.#sum())
    return boolean(`${a} IS ${negated ? '' : 'NOT '}DISTINCT FROM ${b}`)
  }

  #in(left: Value, negated: boolean): Value {
    this.#expect('(')
    const items: string[] = []
    let subject = left.sql
    if (this.#peek()?.text !== ')') {
      do {
        // A list is compared by the collation of what is looked for in it.
        const [a, b] = alike(left, { ...this.#or(), collation: undefined })
        subject = a
        items.push(b)
      } while (this.#mark(','))
    }
    this.#expect(')')
    if (items.length === 0) throw new Untranslatable('an empty IN list is not supported')
    return boolean(`${subject} ${negated ? 'NOT ' : ''}IN (${items.join(', ')})`)
  }

  #between(left: Value, negated: boolean): Value {
    const low = this.#sum()
    if (!this.#word('and')) throw new Untranslatable('BETWEEN without AND')
    const high = this.#sum()
    const both = `(${compared(left, '>=', low).sql} AND ${compared(left, '<=', high).sql})`
    return boolean(negated ? `NOT ${both}` : both)
  }

  /** SQLite's LIKE folds ASCII and knows no escape unless it is given one. */
  #like(left: Value): string {
    const pattern = this.#literal('LIKE')
    if (this.#peek()?.text.toLowerCase() === 'escape')
      throw new Untranslatable('LIKE with ESCAPE is not supported')
    const folded = pattern.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
    return `${folds('lower', left)} LIKE ${quoteLiteral(folded)} ESCAPE ''`
  }

  #glob(left: Value): string {
    if (left.kind !== 'text') throw new Untranslatable('GLOB is supported for text only')
    const pattern = this.#literal('GLOB')
    let regex = ''
    for (const [piece] of pattern.matchAll(/\[\^?[\w -]+\]|[\s\S]/gu)) {
      if (piece === '*') regex += '.*'
      else if (piece === '?') regex += '.'
      else if (/^\[\^?(\w-\w|[\w ])+\]$/.test(piece) && hasRisingRanges(piece)) regex += piece
      else if (piece.startsWith('[')) throw new Untranslatable(`GLOB with ${piece} is not supported`)
      else regex += /[\p{L}\p{N} ]/u.test(piece) ? piece : `\\${piece}`
    }
    return `${left.sql} COLLATE "C" ~ ${quoteLiteral(`^(?:${regex})$`)}`
  }

  #literal(what: string): string {
    const pattern = this.#peek()
    if (pattern?.kind !== 'string') throw new Untranslatable(`${what} is supported with a literal only`)
    this.#at++
    return pattern.text
  }

  #sum(): Value {
    let left = this.#product()
    for (;;) {
      const sign = this.#mark('+') ? '+' : this.#mark('-') ? '-' : undefined
      if (sign === undefined) return left
      left = arithmetic(left, sign, this.#product())
    }
  }

  #product(): Value {
    let left = this.#joined()
    while (this.#mark('*')) left = arithmetic(left, '*', this.#joined())
    return left
  }

  #joined(): Value {
    let left = this.#unary()
    while (this.#mark('||')) {
      const right = this.#unary()
      if (left.kind !== 'text' || right.kind !== 'text')
        throw new Untranslatable('|| is supported for text only')
      left = { sql: `(${left.sql} || ${right.sql})`, kind: 'text' }
    }
    return left
  }

  #unary(): Value {
    if (this.#mark('+')) return this.#unary()
    if (!this.#mark('-')) return this.#collated()
    const value = this.#unary()
    if (value.kind !== 'number' && value.kind !== 'float')
      throw new Untranslatable('- is supported for numbers only')
    return { sql: `(- ${value.sql})`, kind: value.kind }
  }

  #collated(): Value {
    const value = this.#primary()
    if (!this.#word('collate')) return value
    const collation = this.#next().text.toUpperCase()
    return { ...value, collation: { name: collation, isWritten: true } }
  }

  #primary(): Value {
    const token = this.#next()
    const { kind, text } = token
    if (kind === 'number') {
      if (/[.e]/i.test(text)) return { sql: `${text}::float8`, kind: 'float' }
      return { sql: text, kind: 'number', ...(text === '0' || text === '1' ? { flag: text } : {}) }
    }
    if (kind === 'string') return { sql: quoteLiteral(text).trim(), kind: 'text' }
    if (kind === 'blob') return { sql: `'\\x${text}'::bytea`, kind: 'bytes' }
    if (kind === 'mark' && text === '(') {
      const value = this.#or()
      this.#expect(')')
      return { ...value, sql: `(${value.sql})` }
    }
    if (kind === 'word' && this.#peek()?.text === '(') return this.#call(text.toLowerCase())
    if (kind === 'word' && /^null$/i.test(text)) return { sql: 'NULL', kind: 'null' }
    if (kind === 'word' && /^(true|false)$/i.test(text)) return boolean(text.toLowerCase())
    if (kind === 'word' || kind === 'name') return this.#column(text, kind)
    throw new Untranslatable(`${text} is not supported`)
  }

  #column(text: string, kind: SqlToken['kind']): Value {
    if (this.#mark('.')) return this.#column(this.#next().text, 'name') // table.column
    const column = this.#columns.find(({ source }) => source.toLowerCase() === text.toLowerCase())
    // SQLite takes a double-quoted word that is no column for a text.
    if (!column && kind === 'name') return { sql: quoteLiteral(text).trim(), kind: 'text' }
    if (!column) throw new Untranslatable(`${text} is not supported`)
    const value = columnValue(column.target)
    // What another affinity keeps as numbers is compared as numbers there.
    if (value.kind === 'text' && !column.isText) return { ...value, kind: 'other' }
    return { ...value, collation: { name: column.collation ?? 'BINARY', isWritten: false } }
  }

  #call(name: string): Value {
    this.#expect('(')
    const values: Value[] = []
    if (this.#peek()?.text !== ')') {
      do values.push(this.#or())
      while (this.#mark(','))
    }
    this.#expect(')')
    return callOf(name, values)
  }

  #peek(): SqlToken | undefined {
    return this.#tokens[this.#at]
  }

  #next(): SqlToken {
    const token = this.#tokens[this.#at++]
    if (!token) throw new Untranslatable('the expression is incomplete')
    return token
  }

  #word(word: string): boolean {
    const token = this.#peek()
    if (token?.kind !== 'word' || token.text.toLowerCase() !== word) return false
    this.#at++
    return true
  }

  #mark(mark: string): boolean {
    const token = this.#peek()
    if (token?.kind !== 'mark' || token.text !== mark) return false
    this.#at++
    return true
  }

  #expect(mark: string): void {
    if (!this.#mark(mark))
      throw new Untranslatable(`${this.#peek()?.text ?? 'the end'} was found where ${mark} is expected`)
  }
}

function columnValue({ name, type, enumValues }: TargetColumn): Value {
  const sql = quoteIdentifier(name)
  if (enumValues) return { sql: `${sql}::text`, kind: 'text' }
  return { sql, kind: sqlType(type)?.kind ?? 'other' }
}

function hasRisingRanges(piece: string): boolean {
  return [...piece.matchAll(/(\w)-(\w)/g)].every(([, low = '', high = '']) => low <= high)
}

function boolean(sql: string): Value {
  return { sql: /^(true|false)$/.test(sql) ? sql : `(${sql})`, kind: 'bool' }
}

function asBoolean(value: Value): string {
  if (value.kind === 'bool') return value.sql
  if (value.flag) return value.flag === '1' ? 'true' : 'false'
  throw new Untranslatable('a number or text is used as a boolean')
}

/** Both sides in forms that Postgres compares as SQLite does. */
function alike(left: Value, right: Value): [string, string] {
  if (left.kind === 'null' || right.kind === 'null') return [left.sql, right.sql]
  if (left.kind === 'bool' || right.kind === 'bool') return [asBoolean(left), asBoolean(right)]
  const numbers = (value: Value) => value.kind === 'number' || value.kind === 'float'
  if (numbers(left) && numbers(right)) return [left.sql, right.sql]
  if (left.kind === 'text' && right.kind === 'text') {
    const name = collationOf(left, right)
    return [asCompared(left, name), asCompared(right, name)]
  }
  if (left.kind === right.kind && /^(moment|bytes)$/.test(left.kind)) return [left.sql, right.sql]
  throw new Untranslatable(`${left.kind} is compared with ${right.kind}`)
}

function compared(left: Value, operator: string, right: Value): Value {
  const [a, b] = alike(left, right)
  if (left.kind === 'moment' && right.kind !== 'moment')
    throw new Untranslatable('a date is compared with a literal')
  const order = left.kind === 'text' && operator !== '=' && operator !== '<>' ? ' COLLATE "C"' : ''
  return boolean(`${a} ${operator} ${b}${order}`)
}

/** Whole numbers are exact in numeric; a float makes all of it a float, as in SQLite. */
function arithmetic(left: Value, sign: string, right: Value): Value {
  const isFloat = left.kind === 'float' || right.kind === 'float'
  const type = isFloat ? 'float8' : 'numeric'
  for (const { kind } of [left, right]) {
    if (kind !== 'number' && kind !== 'float')
      throw new Untranslatable(`${sign} is supported for numbers only`)
  }
  return { sql: `(${left.sql}::${type} ${sign} ${right.sql}::${type})`, kind: isFloat ? 'float' : 'number' }
}

/** lower() and upper() of SQLite fold ASCII only: as Postgres' do under "C". */
function folds(name: string, value: Value): string {
  if (value.kind !== 'text') throw new Untranslatable(`${name}() is supported for text only`)
  return `${name}(${value.sql} COLLATE "C")`
}

/** Source: SQLite's "Datatypes In SQLite", section 7.1: what is written counts before a column's own, the left before the right. */
function collationOf(left: Value, right: Value): string | undefined {
  const [a, b] = [left.collation, right.collation]
  return (a?.isWritten ? a : b?.isWritten ? b : (a ?? b))?.name
}

/** A text in a form in which what a collation takes for the same is the same. */
function asCompared(value: Value, collation: string | undefined): string {
  if (collation === undefined || collation === 'BINARY') return value.sql
  if (collation === 'NOCASE') return folds('lower', value)
  if (collation === 'RTRIM' && value.kind === 'text') return `rtrim(${value.sql}, ' ')`
  throw new Untranslatable(`the collation ${collation} is not supported`)
}

function callOf(name: string, values: Value[]): Value {
  const [first, second] = values
  const all = values.map(({ sql }) => sql).join(', ')
  const isText = values.every(({ kind }) => kind === 'text')
  if (first && values.length === 1) {
    if (name === 'lower' || name === 'upper') return { sql: folds(name, first), kind: 'text' }
    if (name === 'length' && (first.kind === 'text' || first.kind === 'bytes'))
      return { sql: `length(${all})`, kind: 'number' }
    if (/^[lr]?trim$/.test(name) && isText) {
      return { sql: `${name === 'trim' ? 'btrim' : name}(${all}, ' ')`, kind: 'text' }
    }
    if (name === 'abs' && (first.kind === 'number' || first.kind === 'float'))
      return { sql: `abs(${all})`, kind: first.kind }
    if (name === 'json_valid' && first.kind === 'json') return boolean(`(${first.sql} IS NULL OR true)`)
  }
  if (first && second && values.length === 2 && name === 'instr' && isText) {
    return { sql: `strpos(${all})`, kind: 'number' }
  }
  if (first && second && (name === 'coalesce' || name === 'ifnull')) {
    const kind = values.find((value) => value.kind !== 'null')?.kind ?? 'null'
    if (values.every((value) => value.kind === kind || value.kind === 'null'))
      return { sql: `coalesce(${all})`, kind }
  }
  throw new Untranslatable(`${name}() is not supported`)
}
