import { openSqliteInMemory, postgresTokens } from '@outgrow/databases'
import { quotePsl } from '../../psl/parse.ts'
import {
  argumentOf,
  attributeOf,
  fieldsOf,
  stringOf,
  type Attribute,
  type Expression,
  type Field,
} from '../../psl/syntax.ts'
import { isScalarList, nativeTypeOf, note, sourceText, storedName, type RuleContext } from '../context.ts'

/** A default that means the same on the target. */
export function defaultRule(context: RuleContext, field: Field): void {
  const attribute = attributeOf(field, 'default')
  const argument = argumentOf(attribute, 'value', true)
  if (!attribute || !argument) return
  const value = argument.value
  if (isScalarList(context.index, field)) return listDefault(context, field, attribute, value)
  if (value.kind === 'call' && value.name === 'autoincrement') return autoincrement(context, field, attribute)
  if (value.kind === 'call' && value.name === 'dbgenerated') {
    const first = value.args[0]?.value
    if (first?.kind === 'string') expressionDefault(context, field, attribute, first.value)
    return
  }
  if (context.target === 'sqlite' && value.kind === 'string')
    literalDefault(context, field, attribute, value.value)
}

/** Literals that Prisma writes wrongly into SQLite's DDL are quoted here instead. */
function literalDefault(context: RuleContext, field: Field, attribute: Attribute, literal: string): void {
  const sql = sqliteLiteral(field.type, literal)
  if (sql === undefined) return
  rewrite(context, field, attribute, generated(sql), 'SQLite needs this literal quoted differently.')
}

function sqliteLiteral(type: string, literal: string): string | undefined {
  switch (type) {
    case 'Json':
      return quoteSql(literal)
    case 'Bytes':
      return `X'${Buffer.from(literal, 'base64').toString('hex').toUpperCase()}'`
    case 'DateTime': {
      // A text without a zone is in UTC, whatever zone this machine is in.
      const [, day, rest = '', zone = 'Z'] =
        /^(\d{4,}-\d\d-\d\d)(?:[ T](.*?))?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i.exec(literal.trim()) ?? []
      const offset = /^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone
      const time = new Date(day === undefined ? literal : `${day}T${rest || '00:00:00'}${offset}`)
      return Number.isNaN(time.getTime()) ? undefined : quoteSql(time.toISOString().replace('Z', '+00:00'))
    }
    default:
      return undefined
  }
}

function listDefault(context: RuleContext, field: Field, attribute: Attribute, value: Expression): void {
  if (context.options.keepLists && context.target === 'postgres') return
  const items = value.kind === 'array' ? value.items.map((item) => jsonOf(field, item)) : arrayLiteral(value)
  if (items === undefined) {
    return refuse(context, field, attribute, 'This default cannot be read as a list of constants.')
  }
  const json = `[${items.join(',')}]`
  const text = context.target === 'sqlite' ? generated(quoteSql(json)) : quotePsl(json)
  rewrite(context, field, attribute, text, 'The list is Json on both databases, and so is its default.')
}

/** The JSON text of a constant; numbers keep every digit. */
function jsonOf(field: Field, item: Expression): string {
  if (item.kind === 'string') return field.type === 'Json' ? item.value : JSON.stringify(item.value)
  if (item.kind === 'number') return item.text
  if (item.kind === 'path') {
    if (item.text === 'true' || item.text === 'false') return item.text
    return JSON.stringify(item.text) // as the client names a member, in what it reads and writes
  }
  return 'null'
}

/** The JSON texts of the constants in `dbgenerated("'{}'::text[]")`, `dbgenerated("ARRAY['a','b']")`. */
function arrayLiteral(value: Expression): string[] | undefined {
  const first = value.kind === 'call' ? value.args[0]?.value : undefined
  const sql = first?.kind === 'string' ? withoutCasts(first.value) : ''
  if (sql === "'{}'") return []
  const elements = /^ARRAY\[(.*)\]$/is.exec(sql)?.[1]
  if (elements === undefined) return undefined
  if (elements.trim() === '') return []
  const texts = atCommas(elements).map((element) => constantText(withoutCasts(element.trim())))
  return texts.every((text) => text !== undefined) ? texts : undefined
}

/** The parts of an SQL list. */
function atCommas(sql: string): string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (const { start, end, kind } of postgresTokens(sql)) {
    const mark = kind === 'mark' ? sql.slice(start, end) : ''
    if (/[([]/.test(mark)) depth++
    if (/[)\]]/.test(mark)) depth--
    if (mark !== ',' || depth > 0) continue
    parts.push(sql.slice(from, start))
    from = end
  }
  return [...parts, sql.slice(from)]
}

/** The JSON text of one SQL constant. */
function constantText(sql: string): string | undefined {
  if (/^'(?:[^']|'')*'$/.test(sql)) return JSON.stringify(sql.slice(1, -1).replaceAll("''", "'"))
  return /^(-?\d+(\.\d+)?|true|false|null)$/i.test(sql) ? sql.toLowerCase() : undefined
}

function autoincrement(context: RuleContext, field: Field, attribute: Attribute): void {
  if (context.target !== 'sqlite') return
  if (attributeOf(field, 'id')) {
    if (field.type === 'BigInt') {
      note(context, {
        code: 'OUTGROW_SCHEMA_DEFAULT',
        at: attribute,
        field: field.name,
        feature: 'BigInt autoincrement',
        action: 'rewritten',
        reason: 'The SQLite column is INTEGER PRIMARY KEY AUTOINCREMENT, which holds 64 bits.',
      })
    }
    return
  }
  note(context, {
    code: 'OUTGROW_SCHEMA_DEFAULT',
    at: attribute,
    field: field.name,
    feature: '@default(autoincrement())',
    action: 'refused',
    reason:
      'SQLite auto-increments only a single-column primary key: the field would be required there but optional on Postgres.',
    suggestion: `Make it the @id, or let the application set the value. Write in its place: ${withoutDefault(context, field)}`,
  })
}

const instants =
  /^(now\(\)|current_timestamp(\(\d\))?|(transaction|statement|clock)_timestamp\(\)|timezone\('utc',now\(\)\)|now\(\)attimezone'utc'|datetime\('now'\)|strftime\('[^']*','now'\))$/i
const uuids: Record<string, string> = {
  'gen_random_uuid()': 'uuid()',
  'uuid_generate_v4()': 'uuid()',
  'uuidv4()': 'uuid()',
  'uuidv7()': 'uuid(7)',
}

function expressionDefault(context: RuleContext, field: Field, attribute: Attribute, written: string): void {
  if (context.target === context.index.source) return
  const sql = withoutCasts(written)
  const packed = sql.replaceAll(/::\w+/g, '').replaceAll(/\s+/g, '').toLowerCase()
  const later = field.type === 'DateTime' && context.target === 'sqlite' ? laterOnSqlite(written) : undefined
  if (later !== undefined) {
    return rewrite(context, field, attribute, generated(later), 'The same time from now, in SQLite syntax.')
  }
  if (field.type === 'DateTime' && instants.test(packed)) {
    return rewrite(
      context,
      field,
      attribute,
      'now()',
      'The current time, in a form that both databases support.',
    )
  }
  if (field.type === 'String' && packed in uuids) {
    return rewrite(context, field, attribute, uuids[packed] as string, 'The client generates the identifier.')
  }
  const constant = constantDefault(context, field, sql)
  if (constant !== undefined) return rewrite(context, field, attribute, constant, 'A constant needs no cast.')
  if (context.target === 'sqlite' && !meansOtherwise.test(packed) && isSameOnSqlite(field, written, sql)) {
    return rewrite(
      context,
      field,
      attribute,
      generated(`(${sql})`),
      'SQLite requires parentheses around an expression.',
    )
  }
  const postgres = postgresExpressions[packed]
  const fits = packed !== 'random()' || field.type === 'BigInt'
  if (context.target === 'postgres' && postgres !== undefined && fits) {
    return rewrite(context, field, attribute, generated(postgres), 'The same value, in Postgres syntax.')
  }
  const others = namesIn(sql).filter((name) => columnsOf(context).has(name))
  refuse(
    context,
    field,
    attribute,
    others.length > 0
      ? `It is computed from ${others.join(', ')}: Prisma shows generated columns this way but cannot create them.`
      : `"${written}" has no meaning on the other database.`,
  )
}

/** Names that an expression may take for columns. */
function namesIn(sql: string): string[] {
  const names = postgresTokens(sql)
    .filter(({ kind }) => kind === 'name' || kind === 'word')
    .map(({ start, end, kind }) => (kind === 'name' ? sql.slice(start + 1, end - 1) : sql.slice(start, end)))
  return [...new Set(names)]
}

function columnsOf(context: RuleContext): Set<string> {
  return new Set(
    fieldsOf(context.block).map(
      (field) => stringOf(argumentOf(attributeOf(field, 'map'), 'name', true)) ?? field.name,
    ),
  )
}

const units: Record<string, [each: number, unit: string]> = {
  sec: [1, 'seconds'],
  second: [1, 'seconds'],
  min: [1, 'minutes'],
  minute: [1, 'minutes'],
  hour: [1, 'hours'],
  day: [1, 'days'],
  week: [7, 'days'],
  mon: [1, 'months'],
  month: [1, 'months'],
  year: [1, 'years'],
}

const instant = /^(?:now\(\)|current_timestamp(?:\(\d\))?|(?:transaction|statement|clock)_timestamp\(\))/
const today = /^(?:current_date|now\(\)::date|current_timestamp::date|\('now'::text\)::date)/

/**
 * The time of an insert, with or without a distance, as SQLite says it in the text that Prisma stores:
 * `now() + '7 days'::interval`, `CURRENT_DATE + 30`, `CURRENT_TIMESTAMP - '01:00:00'::interval`.
 */
function laterOnSqlite(written: string): string | undefined {
  const sql = unwrapped(written.trim()).replaceAll(/\s+/g, ' ').toLowerCase()
  const base = (today.exec(sql) ?? instant.exec(sql))?.[0]
  if (base === undefined) return undefined
  const isDay = today.test(sql)
  const rest = unwrapped(sql.slice(base.length).trim())
  const modifiers = rest === '' ? [] : distance(rest, isDay)
  if (!modifiers || (!isDay && rest === '')) return undefined
  // A day in Postgres has no time: any that a distance adds is another type's.
  if (isDay && modifiers.some((one) => /[:s]/.test(one.replace(/(days|months|years)/, '')))) return undefined
  const format = isDay ? '%Y-%m-%dT00:00:00.000+00:00' : '%Y-%m-%dT%H:%M:%f+00:00'
  return `(strftime('${format}', ${["'now'", ...modifiers.map((one) => `'${one}'`)].join(', ')}))`
}

/** SQLite's modifiers for ` + '1 day 02:00:00'::interval`, or ` + 30` days. */
function distance(sql: string, isDay: boolean): string[] | undefined {
  const days = isDay ? /^([+-]) ?(\d+)$/.exec(sql) : null
  if (days) return [`${days[1]}${days[2]} days`]
  const match = /^([+-]) ?\(?(?:interval )?'([^']*)'(?:::interval)?\)?$/.exec(sql)
  if (!match) return undefined
  const [, sign = '+', text = ''] = match
  const modifiers: string[] = []
  for (const part of text.matchAll(/(\d+) ?([a-z]+)|(\d\d:\d\d:\d\d)|(\S+)/g)) {
    const [, amount, word = '', clock, other] = part
    const [each, unit] = units[word.replace(/(?<=..)s$/, '')] ?? []
    if (other !== undefined || (clock === undefined && each === undefined)) return undefined
    if (clock !== undefined) modifiers.push(`${sign}${clock}`)
    else modifiers.push(`${sign}${Number(amount) * (each ?? 1)} ${unit}`)
    // Postgres stays within the month, as SQLite does with this modifier.
    if (unit === 'months' || unit === 'years') modifiers.push('floor')
  }
  return modifiers.length === 0 ? undefined : modifiers
}

function unwrapped(sql: string): string {
  const inner = /^\((.*)\)$/s.exec(sql)?.[1]
  return inner !== undefined && balanced(inner) ? unwrapped(inner.trim()) : sql
}

/**
 * Whether SQLite makes of the expression what Postgres does: it runs, no cast within it was left out, and a time comes out
 * as Prisma reads one.
 */
function isSameOnSqlite(field: Field, written: string, sql: string): boolean {
  const isOne = /^('(?:[^']|'')*'|[\w.]+|[\w.]+\([^()]*\))$/.test(sql)
  if (written.includes('::') && !isOne) return false
  const value = valueOnSqlite(`(${sql})`)
  if (value === undefined) return false
  if (/^(Boolean|Int|BigInt|Float|Decimal)$/.test(field.type)) return typeof value === 'number'
  return (
    field.type !== 'DateTime' || (typeof value === 'string' && /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d/.test(value))
  )
}

/** What both databases know by one name, with other values: a fraction or a 64-bit integer, a time with or without its zone. */
const meansOtherwise = /\brandom\(|\bcurrent_time\b|\blocaltime\b/

/** SQLite expressions that schemas use, and what Postgres calls them. */
const postgresExpressions: Record<string, string> = {
  'unixepoch()': 'extract(epoch from now())::bigint',
  "strftime('%s','now')": 'extract(epoch from now())::bigint',
  'lower(hex(randomblob(16)))': "replace(gen_random_uuid()::text, '-', '')",
  'hex(randomblob(16))': "upper(replace(gen_random_uuid()::text, '-', ''))",
  'random()': '(random() * 9223372036854775807)::bigint',
}

function constantDefault(context: RuleContext, field: Field, sql: string): string | undefined {
  const quoted = /^'((?:[^']|'')*)'$/.exec(sql)?.[1]?.replaceAll("''", "'")
  if (quoted !== undefined) {
    const member = context.index.enums
      .get(field.type)
      ?.members.find((candidate) => candidate.kind === 'value' && storedName(candidate) === quoted)
    if (member?.kind === 'value') return member.name
    if (field.type === 'String') return quotePsl(quoted)
    if (field.type === 'Boolean') return booleanOf(quoted)
    if (
      /^(Int|BigInt|Float|Decimal)$/.test(field.type) &&
      quoted.trim() !== '' &&
      Number.isFinite(Number(quoted))
    ) {
      return quoted.trim()
    }
    if (context.target === 'sqlite') {
      if (field.type === 'Bytes') {
        const bytes = bytesOf(quoted)
        return bytes === undefined ? undefined : generated(`X'${bytes.toUpperCase()}'`)
      }
      const literal = sqliteLiteral(field.type, quoted)
      return literal === undefined ? undefined : generated(literal)
    }
    return quotePsl(quoted)
  }
  if (/^[+-]?\d+(\.\d+)?$/.test(sql)) {
    if (field.type === 'Boolean') return sql === '0' ? 'false' : 'true'
    return /^(Int|BigInt|Float|Decimal)$/.test(field.type) ? sql : undefined
  }
  if (/^(true|false)$/i.test(sql) && field.type === 'Boolean') return sql.toLowerCase()
  return undefined
}

/** Source: PostgreSQL's documentation, "Boolean Type": unique beginnings count. */
function booleanOf(text: string): string | undefined {
  const word = text.trim().toLowerCase()
  if (/^(t|tr|tru|true|y|ye|yes|on|1)$/.test(word)) return 'true'
  return /^(f|fa|fal|fals|false|n|no|of|off|0)$/.test(word) ? 'false' : undefined
}

/** Hexadecimal digits of a bytea constant; undefined where it has escapes. */
function bytesOf(text: string): string | undefined {
  if (/^\\x([0-9a-f]{2})*$/i.test(text)) return text.slice(2)
  return text.includes('\\') ? undefined : Buffer.from(text).toString('hex')
}

/** An SQL expression without the parentheses around it and the `::type` behind it. */
function withoutCasts(sql: string): string {
  let text = sql.trim()
  for (;;) {
    const bare = text
      .replace(/^\((.*)\)$/s, (whole, inner: string) => (balanced(inner) ? inner : whole))
      .replace(
        /::\s*(?:"[^"]+"|[a-z_]+(?:\s+(?:varying|precision|with(?:out)? time zone))?)(?:\.(?:"[^"]+"|\w+))?(?:\([\d, ]*\))?(?:\[\])*\s*$/i,
        '',
      )
      .trim()
    if (bare === text) return text
    text = bare
  }
}

function balanced(text: string): boolean {
  let depth = 0
  for (const char of text) {
    if (char === '(') depth++
    if (char === ')' && --depth < 0) return false
  }
  return depth === 0
}

/** What SQLite makes of a default; undefined where it does not know the expression. */
function valueOnSqlite(expression: string): unknown {
  const database = openSqliteInMemory()
  try {
    database.exec(`CREATE TABLE t (a, b DEFAULT ${expression}); INSERT INTO t (a) VALUES (1)`)
    return database.prepare('SELECT b FROM t').pluck().get()
  } catch {
    return undefined // that is the answer
  } finally {
    database.close()
  }
}

function rewrite(
  context: RuleContext,
  field: Field,
  attribute: Attribute,
  value: string,
  reason: string,
): void {
  const argument = argumentOf(attribute, 'value', true)
  if (!argument || sourceText(context, argument.value) === value) return
  context.edits.replace(argument.value, value)
  note(context, {
    code: 'OUTGROW_SCHEMA_DEFAULT',
    at: attribute,
    field: field.name,
    feature: sourceText(context, attribute),
    action: 'rewritten',
    reason: `${reason} It is now @default(${value}).`,
  })
}

function refuse(context: RuleContext, field: Field, attribute: Attribute, reason: string): void {
  note(context, {
    code: 'OUTGROW_SCHEMA_DEFAULT',
    at: attribute,
    field: field.name,
    feature: sourceText(context, attribute),
    action: 'refused',
    reason,
    suggestion: suggestionFor(context, field),
  })
}

/** An identifier is made by the client on the other side; of anything else nobody knows what may stand for it there. */
function suggestionFor(context: RuleContext, field: Field): string {
  const isIdentifier = attributeOf(field, 'id') ?? attributeOf(field, 'unique')
  if (field.type !== 'String' || field.arity !== 'required' || !isIdentifier) {
    return `Let the application set the value. Write in its place: ${withoutDefault(context, field)}`
  }
  const line = [field.name, 'String', ...attributesKept(context, field), '@default(uuid())'].join(' ')
  return `The client can generate it there. Write on the line above: // outgrow:${context.target} ${line}`
}

/** The field's line without its default, for both databases. */
function withoutDefault(context: RuleContext, field: Field): string {
  const kept = field.attributes
    .filter(({ name }) => name !== 'default')
    .map((attribute) => sourceText(context, attribute))
  return [field.name, sourceText(context, field.typeSpan), ...kept].join(' ')
}

function attributesKept(context: RuleContext, field: Field): string[] {
  return field.attributes
    .filter((attribute) => attribute.name !== 'default' && attribute !== nativeTypeOf(context.index, field))
    .map((attribute) => sourceText(context, attribute))
}

function generated(sql: string): string {
  return `dbgenerated(${quotePsl(sql)})`
}

function quoteSql(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
