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
  rewrite(context, field, attribute, generated(sql), 'SQLite needs this literal quoted in its own way.')
}

function sqliteLiteral(type: string, literal: string): string | undefined {
  switch (type) {
    case 'Json':
      return quoteSql(literal)
    case 'Bytes':
      return `X'${Buffer.from(literal, 'base64').toString('hex').toUpperCase()}'`
    case 'DateTime': {
      const time = new Date(literal)
      return Number.isNaN(time.getTime()) ? undefined : quoteSql(time.toISOString().replace('Z', '+00:00'))
    }
    default:
      return undefined
  }
}

function listDefault(context: RuleContext, field: Field, attribute: Attribute, value: Expression): void {
  if (context.options.keepLists && context.target === 'postgres') return
  const items =
    value.kind === 'array' ? value.items.map((item) => jsonOf(context, field, item)) : arrayLiteral(value)
  if (items === undefined) {
    return refuse(context, field, attribute, 'This default cannot be read as a list of constants.')
  }
  const json = `[${items.join(',')}]`
  const text = context.target === 'sqlite' ? generated(quoteSql(json)) : quotePsl(json)
  rewrite(context, field, attribute, text, 'The list is Json on both databases, and so is its default.')
}

/** The JSON text of a constant; numbers keep every digit. */
function jsonOf(context: RuleContext, field: Field, item: Expression): string {
  if (item.kind === 'string') return JSON.stringify(item.value)
  if (item.kind === 'number') return item.text
  if (item.kind === 'path') {
    if (item.text === 'true' || item.text === 'false') return item.text
    const member = context.index.enums
      .get(field.type)
      ?.members.find((candidate) => candidate.kind === 'value' && candidate.name === item.text)
    return JSON.stringify(member?.kind === 'value' ? storedName(member) : item.text)
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
  return elements.split(',').map((element) => {
    const plain = withoutCasts(element.trim())
    return plain.startsWith("'") ? JSON.stringify(plain.slice(1, -1).replaceAll("''", "'")) : plain
  })
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
      'SQLite counts only a single-column primary key: there the field would be required, and optional on Postgres.',
    suggestion: `Make it the @id, or let the application give the value. Write in its place: ${withoutDefault(context, field)}`,
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
  if (field.type === 'DateTime' && instants.test(packed)) {
    return rewrite(
      context,
      field,
      attribute,
      'now()',
      'The current time, said in the way that both databases know.',
    )
  }
  const later = field.type === 'DateTime' && context.target === 'sqlite' ? laterOnSqlite(sql) : undefined
  if (later !== undefined) {
    return rewrite(context, field, attribute, generated(later), 'The same time from now, in SQLite’s words.')
  }
  if (field.type === 'String' && packed in uuids) {
    return rewrite(context, field, attribute, uuids[packed] as string, 'The client makes the identifier.')
  }
  const constant = constantDefault(context, field, sql)
  if (constant !== undefined) return rewrite(context, field, attribute, constant, 'A constant needs no cast.')
  if (context.target === 'sqlite' && !meansOtherwise.test(packed) && runsOnSqlite(`(${sql})`)) {
    return rewrite(
      context,
      field,
      attribute,
      generated(`(${sql})`),
      'SQLite wants an expression in parentheses.',
    )
  }
  const postgres = postgresExpressions[packed]
  if (context.target === 'postgres' && postgres !== undefined) {
    return rewrite(context, field, attribute, generated(postgres), 'The same value, in Postgres’ words.')
  }
  const others = namesIn(sql).filter((name) => columnsOf(context).has(name))
  refuse(
    context,
    field,
    attribute,
    others.length > 0
      ? `It is computed from ${others.join(', ')}: Prisma shows a generated column so, and can make none.`
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

/** `now() + '7 days'::interval` as SQLite says it, in the text that Prisma stores. */
function laterOnSqlite(sql: string): string | undefined {
  const match =
    /^\(?(?:now\(\)|current_timestamp)\)?\s*([+-])\s*(?:interval\s*)?'(\d+)\s*([a-z]+?)s?'(?:::interval)?$/i.exec(
      sql,
    )
  const [each, unit] = units[match?.[3]?.toLowerCase() ?? ''] ?? []
  if (!match || each === undefined) return undefined
  // Postgres stays within the month, as SQLite does with this modifier.
  const floor = unit === 'months' || unit === 'years' ? `, 'floor'` : ''
  return `(strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '${match[1]}${Number(match[2]) * each} ${unit}'${floor}))`
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
    if (field.type === 'Boolean') return /^(t|true|yes|on|1)$/i.test(quoted) ? 'true' : 'false'
    if (
      /^(Int|BigInt|Float|Decimal)$/.test(field.type) &&
      quoted.trim() !== '' &&
      Number.isFinite(Number(quoted))
    ) {
      return quoted.trim()
    }
    if (context.target === 'sqlite') {
      const bytes = field.type === 'Bytes' ? /^\\x([0-9a-f]*)$/i.exec(quoted)?.[1] : undefined
      if (bytes !== undefined) return generated(`X'${bytes.toUpperCase()}'`)
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

function runsOnSqlite(expression: string): boolean {
  const database = openSqliteInMemory()
  try {
    database.exec(`CREATE TABLE t (a, b DEFAULT ${expression}); INSERT INTO t (a) VALUES (1)`)
    return true
  } catch {
    return false // SQLite does not know the expression: that is the answer
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
    return `Let the application give the value. Write in its place: ${withoutDefault(context, field)}`
  }
  const line = [field.name, 'String', ...attributesKept(context, field), '@default(uuid())'].join(' ')
  return `The client can make it there. Write on the line above: // outgrow:${context.target} ${line}`
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
