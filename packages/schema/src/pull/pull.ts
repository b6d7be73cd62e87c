import {
  isLongName,
  openSqliteReadonly,
  parseSqliteSource,
  quoteIdentifier,
  readSourceTables,
  shortName,
  traceRemover,
  type SourceColumn,
  type SourceForeignKey,
  type SourceTable,
  type SqliteDatabase,
} from '@outgrow/databases'
import { formatPrismaSchema } from '../engine/prisma-wasm.ts'
import { quotePsl } from '../psl/parse.ts'
import { candidateTypes, readContents, type Content, type PulledType } from './column-type.ts'
import { Names, reservedModelNames } from './names.ts'

/** Something in the file that a Prisma schema cannot say. */
export interface UnsupportedObject {
  kind:
    | 'view'
    | 'trigger'
    | 'virtual table'
    | 'generated column'
    | 'check'
    | 'index'
    | 'default'
    | 'foreign key'
    | 'collation'
    | 'type'
    | 'name'
  table: string
  name: string
  sql: string
}

export interface PulledSchema {
  /** A Prisma schema with the provider sqlite. */
  text: string
  models: number
  unsaid: UnsupportedObject[]
}

interface PulledField {
  column: SourceColumn
  name: string
  type: PulledType
}

/** A column's values with the type that they are to have. */
export interface TypedColumn {
  column: SourceColumn
  type: PulledType
}

/** Reads a table's values and returns, by column, why the type does not hold one of them. */
export type RefusedTypes = (
  database: SqliteDatabase,
  table: SourceTable,
  columns: TypedColumn[],
) => Map<string, string>

interface PulledModel {
  table: SourceTable
  name: string
  fields: PulledField[]
  names: Names
  /** Required columns that identify a row; empty when there are none, and Prisma's client must ignore the table. */
  id: string[]
  relations: string[]
}

/**
 * Writes a Prisma schema for an SQLite file that has none. Types come from the declarations and from every stored value.
 * @param refused tells which types do not hold every value, by the rules of the move; a type that holds them all is taken
 * @throws Failure OUTGROW_SOURCE_NOT_FOUND, OUTGROW_SOURCE_NOT_SQLITE
 */
export function pullSchema(from: string, refused?: RefusedTypes): PulledSchema {
  const pulled = introspectSchema(from, refused)
  return { ...pulled, text: formatPrismaSchema(pulled.text) }
}

/** As `pullSchema`, with a text that nobody reads: Prisma's engine, whose memory would stay with the process, is not loaded. */
export function introspectSchema(from: string, refused: RefusedTypes = () => new Map()): PulledSchema {
  const { path } = parseSqliteSource(from)
  using _ = traceRemover(path)
  const database = openSqliteReadonly(path)
  try {
    database.exec('BEGIN')
    return readSchema(database, refused)
  } finally {
    database.close()
  }
}

function readSchema(database: SqliteDatabase, refused: RefusedTypes): PulledSchema {
  const all = readSourceTables(database)
  const tables = all.filter(({ owner, virtual }) => owner === undefined && isReadable(virtual))
  const unsaid: UnsupportedObject[] = otherObjects(database).filter(
    ({ kind, name }) => kind !== 'virtual table' || !tables.some((table) => table.name === name),
  )
  const modelNames = new Names(reservedModelNames)
  const models = tables.map((table) => pullModel(database, table, modelNames, unsaid, refused))
  for (const model of models) addRelations(model, models, unsaid)
  const blocks = models.map((model) => modelText(database, model, unsaid))
  const text = `generator client {
  provider = "prisma-client"
  output   = "./generated"
}

datasource db {
  provider = "sqlite"
}

${blocks.join('\n\n')}
`
  return { text, models: models.length, unsaid }
}

function pullModel(
  database: SqliteDatabase,
  table: SourceTable,
  modelNames: Names,
  unsaid: UnsupportedObject[],
  refused: RefusedTypes,
): PulledModel {
  const names = new Names()
  const columns = table.columns.filter((column) => !column.generated)
  const types = fittingTypes(database, table, columns, unsaid, refused)
  const fields = columns.map((column) => ({
    column,
    name: names.field(column.name),
    type: types.get(column.name) as PulledType,
  }))
  for (const column of table.columns.filter(({ generated }) => generated)) {
    unsaid.push({ kind: 'generated column', table: table.name, name: column.name, sql: table.sql })
  }
  if (/\bCHECK\s*\(/i.test(table.sql))
    unsaid.push({ kind: 'check', table: table.name, name: table.name, sql: table.sql })
  if (/\bCOLLATE\s+(?!BINARY)/i.test(table.sql)) {
    unsaid.push({ kind: 'collation', table: table.name, name: table.name, sql: table.sql })
  }
  return {
    table,
    name: modelNames.model(table.name),
    fields,
    names,
    id: idOf(database, table),
    relations: [],
  }
}

/** Of each column's types the first that holds every value. Where none does, that is said. */
function fittingTypes(
  database: SqliteDatabase,
  table: SourceTable,
  columns: SourceColumn[],
  unsaid: UnsupportedObject[],
  refused: RefusedTypes,
): Map<string, PulledType> {
  const names = columns.map(({ name }) => name)
  const contents = readContents(database, table.name, names)
  const open = new Map(
    columns.map((column) => [column, candidateTypes(column, contents.get(column.name) as Content)]),
  )
  const types = new Map<string, PulledType>()
  const say = (column: SourceColumn, text: string) =>
    unsaid.push({ kind: 'type', table: table.name, name: column.name, sql: text })
  while (open.size > 0) {
    const tried = [...open].map(([column, [type]]) => ({ column, type: type as PulledType }))
    const reasons = refused(database, table, tried)
    for (const { column, type } of tried) {
      const candidates = open.get(column) as PulledType[]
      types.set(column.name, type)
      const reason = reasons.get(column.name)
      if (reason === undefined) {
        open.delete(column)
        continue
      }
      const reported = `${column.declaredType || 'no type'}: as ${type.type} a value ${reason}`
      candidates.shift()
      const [next] = candidates
      say(column, next ? `${reported}; trying ${next.type}` : `${reported}; no type can hold every value`)
      if (!next) open.delete(column)
    }
  }
  return types
}

/** The primary key, unless it holds NULLs, which SQLite allows and nobody else does. */
function idOf(database: SqliteDatabase, table: SourceTable): string[] {
  const nullable = table.primaryKey.map((name) => `${quoteIdentifier(name)} IS NULL`)
  if (nullable.length === 0) return []
  const violations = database
    .prepare(`SELECT 1 FROM ${quoteIdentifier(table.name)} WHERE ${nullable.join(' OR ')} LIMIT 1`)
    .get()
  return violations === undefined ? table.primaryKey : []
}

function isRequired(model: PulledModel, column: SourceColumn): boolean {
  return column.notNull || model.id.includes(column.name)
}

/** Required unique keys identify a row as well as a primary key. */
function identifies(model: PulledModel): boolean {
  if (model.id.length > 0) return true
  return model.table.uniqueKeys.some((key) =>
    key.every((name) => model.table.columns.find((column) => column.name === name)?.notNull),
  )
}

function addRelations(model: PulledModel, models: PulledModel[], unsaid: UnsupportedObject[]): void {
  const reported = new Set<string>()
  for (const [at, key] of model.table.foreignKeys.entries()) {
    const parent = models.find(({ table }) => table.name.toLowerCase() === key.parent.toLowerCase())
    const parentColumns = key.parentColumns.length > 0 ? key.parentColumns : (parent?.table.primaryKey ?? [])
    const [columns, references] = inKeyOrder(parent, key.columns, parentColumns)
    const own = fieldsNamed(model, columns)
    const theirs = parent && fieldsNamed(parent, references)
    if (!parent || !own || !theirs || !isKey(parent, references) || !matchTypes(own, theirs)) {
      unsaid.push({
        kind: 'foreign key',
        table: model.table.name,
        name: key.columns.join(', '),
        sql: model.table.sql,
      })
      continue
    }
    // SQLite takes the same reference twice, on the column and on the table.
    const named = JSON.stringify([key.columns, parent.name, theirs.map(({ name }) => name)])
    if (reported.has(named)) continue
    reported.add(named)
    const optional = key.columns.some((name) => {
      const column = model.table.columns.find((candidate) => candidate.name === name) as SourceColumn
      return !isRequired(model, column)
    })
    const unique = isKeyInOrder(model, key.columns)
    const label = quotePsl(`${model.name}_${key.columns.join('_')}_${at}`)
    const actions = referentialActions(key, optional)
    // Prisma wants what points at an ignored model to be ignored as well.
    const toIgnored = identifies(parent) ? '' : ' @ignore'
    const fromIgnored = identifies(model) ? '' : ' @ignore'
    model.relations.push(
      `${model.names.relation(parent.name)} ${parent.name}${optional ? '?' : ''} @relation(${label}, fields: [${own.map(({ name }) => name).join(', ')}], references: [${theirs.map(({ name }) => name).join(', ')}]${actions})${toIgnored}`,
    )
    parent.relations.push(
      `${parent.names.relation(`${model.name}${unique ? '' : 's'}`)} ${model.name}${unique ? '?' : '[]'} @relation(${label})${fromIgnored}`,
    )
  }
}

const actionNames: Record<string, string> = {
  CASCADE: 'Cascade',
  RESTRICT: 'Restrict',
  'SET NULL': 'SetNull',
  'NO ACTION': 'NoAction',
  'SET DEFAULT': 'SetDefault',
}

function referentialActions(key: SourceForeignKey, optional: boolean): string {
  const named = (action: string) => {
    const name = actionNames[action] ?? 'NoAction'
    return name === 'SetNull' && !optional ? 'NoAction' : name
  }
  return `, onDelete: ${named(key.onDelete)}, onUpdate: ${named(key.onUpdate)}`
}

function fieldsNamed(model: PulledModel, columns: string[]): PulledField[] | undefined {
  const fields = columns.map((name) =>
    model.fields.find(({ column }) => column.name.toLowerCase() === name.toLowerCase()),
  )
  return fields.length > 0 && fields.every((field) => field !== undefined) ? fields : undefined
}

function isKey(model: PulledModel, columns: string[]): boolean {
  const same = (key: string[]) =>
    key.length === columns.length &&
    columns.every((name) => key.some((other) => other.toLowerCase() === name.toLowerCase()))
  return same(model.id) || model.table.uniqueKeys.some(same)
}

function isKeyInOrder(model: PulledModel, columns: string[]): boolean {
  return [model.id, ...model.table.uniqueKeys].some((key) => key.join() === columns.join())
}

/** A reference in the order of the key that it names, as Prisma wants it. */
function inKeyOrder(
  parent: PulledModel | undefined,
  columns: string[],
  references: string[],
): [string[], string[]] {
  const key = [parent?.id ?? [], ...(parent?.table.uniqueKeys ?? [])].find(
    (one) => one.length === references.length && references.every((name) => one.includes(name)),
  )
  if (!key) return [columns, references]
  return [key.map((name) => columns[references.indexOf(name)] ?? name), key]
}

/** Prisma wants one type on both sides; Int gives way to BigInt. */
function matchTypes(own: PulledField[], theirs: PulledField[]): boolean {
  return own.every((field, at) => {
    const other = theirs[at] as PulledField
    if (field.type.type === other.type.type) return true
    const whole = new Set([field.type.type, other.type.type])
    if (whole.size !== 2 || !whole.has('Int') || !whole.has('BigInt')) return false
    field.type = other.type = { type: 'BigInt', native: null }
    return true
  })
}

/** Source: PostgreSQL's documentation, "System Columns". */
const systemColumns = /^(tableoid|xmin|cmin|xmax|cmax|ctid)$/

function postgresName(column: string): string {
  return systemColumns.test(column) ? `${column}_data` : shortName(column)
}

/** Tables of PostGIS, which Prisma never makes. */
const reservedByPostgis =
  /^(spatial_ref_sys|geometry_columns|geography_columns|raster_columns|raster_overviews)$/i

function modelText(database: SqliteDatabase, model: PulledModel, unsaid: UnsupportedObject[]): string {
  const { table, name } = model
  const ignored = !identifies(model)
  const lines = model.fields.flatMap((field) => fieldLines(model, field, unsaid))
  const attributes: string[] = []
  const fieldName = (column: string) =>
    model.fields.find((field) => field.column.name === column)?.name ?? column
  if (model.id.length > 1) attributes.push(`@@id([${model.id.map(fieldName).join(', ')}])`)
  for (const index of readIndexes(database, table.name)) {
    if (index.sql !== null && (index.partial || index.columns.some((column) => column.name === null))) {
      unsaid.push({ kind: 'index', table: table.name, name: index.name, sql: index.sql })
      continue
    }
    if (
      (index.origin === 'pk' && model.id.length > 0) ||
      index.columns.some((column) => !model.fields.some((f) => f.column.name === column.name))
    )
      continue
    const columns = index.columns.map(
      (column) => `${fieldName(column.name as string)}${column.descending ? '(sort: Desc)' : ''}`,
    )
    const map = index.sql === null ? '' : `, map: ${quotePsl(index.name)}`
    attributes.push(`@@${index.unique ? 'unique' : 'index'}([${columns.join(', ')}]${map})`)
  }
  const isLong = isLongName(table.name)
  if (name !== table.name || isLong) {
    if (isLong || reservedByPostgis.test(table.name)) {
      const free = isLong ? shortName(table.name) : `${table.name}_data`
      attributes.push(`// outgrow:postgres @@map(${quotePsl(free)})`)
      unsaid.push({
        kind: 'name',
        table: table.name,
        name: free,
        sql: `On Postgres this table is ${free}: ${isLong ? 'names are limited to 63 bytes' : 'the name is reserved by PostGIS'} there.`,
      })
    }
    attributes.push(`@@map(${quotePsl(table.name)})`)
  }
  if (ignored) attributes.push('@@ignore')
  const comment = ignored ? '/// This table has no unique key, so Prisma’s client ignores it.\n' : ''
  return `${comment}model ${name} {\n${[...lines, ...model.relations, '', ...attributes].map((line) => `  ${line}`).join('\n')}\n}`
}

function fieldLines(model: PulledModel, field: PulledField, unsaid: UnsupportedObject[]): string[] {
  const { column, name, type } = field
  const attributes: string[] = []
  const alone = model.id.length === 1 && model.id[0] === column.name
  if (alone) attributes.push('@id')
  const counts =
    alone &&
    /^INTEGER$/i.test(column.declaredType) &&
    (model.table.rowid ?? model.table.virtual) !== undefined
  if (counts) attributes.push('@default(autoincrement())')
  else {
    const initial = defaultOf(column, type.type)
    if (initial === undefined) {
      unsaid.push({
        kind: 'default',
        table: model.table.name,
        name: column.name,
        sql: String(column.defaultSql),
      })
    } else if (initial !== '') attributes.push(`@default(${initial})`)
  }
  if (name !== column.name) attributes.push(`@map(${quotePsl(column.name)})`)
  const line = `${name} ${type.type}${isRequired(model, column) ? '' : '?'} ${attributes.join(' ')}`
  const other = postgresName(column.name)
  if (other === column.name)
    return type.native === null ? [line] : [`// outgrow:postgres ${type.native}`, line]
  unsaid.push({
    kind: 'name',
    table: model.table.name,
    name: other,
    sql: `On Postgres the column ${column.name} is ${other}: names are limited to 63 bytes, and a few are reserved.`,
  })
  const native = type.native ?? (type.type === 'DateTime' ? '@db.Timestamptz(3)' : '')
  return [`// outgrow:postgres ${native} @map(${quotePsl(other)})`.replace('  ', ' '), line]
}

/** The default in Prisma's words, '' for none, undefined where Prisma has no words for it. */
function defaultOf(column: SourceColumn, type: string): string | undefined {
  const sql = column.defaultSql
    ?.trim()
    .replace(/^\((.*)\)$/s, '$1')
    .trim()
  if (sql === undefined || /^null$/i.test(sql)) return ''
  if (/^current_timestamp$|^datetime\('now'\)$/i.test(sql)) return type === 'DateTime' ? 'now()' : undefined
  const text = /^'((?:[^']|'')*)'$/s.exec(sql)?.[1] ?? /^"((?:[^"]|"")*)"$/s.exec(sql)?.[1]
  const value = (text ?? sql).replaceAll("''", "'")
  if (type === 'String' && text !== undefined) return quotePsl(value)
  if (type === 'Boolean' && /^(0|1|true|false)$/i.test(value))
    return /^(1|true)$/i.test(value) ? 'true' : 'false'
  if (/^(Int|BigInt)$/.test(type) && /^[+-]?\d+$/.test(value)) return value.replace('+', '')
  if (/^(Float|Decimal)$/.test(type) && /^[+-]?\d+(\.\d+)?$/.test(value)) return value.replace('+', '')
  return undefined
}

/** A virtual table whose rows are its own becomes a table. */
function isReadable(virtual: SourceTable['virtual']): boolean {
  return virtual === undefined || (virtual.content === 'own' && virtual.problem === undefined)
}

interface PulledIndex {
  name: string
  unique: boolean
  partial: boolean
  /** `c` CREATE INDEX, `u` UNIQUE, `pk` PRIMARY KEY. */
  origin: string
  sql: string | null
  columns: { name: string | null; descending: boolean }[]
}

function readIndexes(database: SqliteDatabase, table: string): PulledIndex[] {
  const rows = database
    .prepare(
      `SELECT l.name, l."unique", l.partial, l.origin, s.sql FROM pragma_index_list(?) l
         LEFT JOIN sqlite_schema s ON s.type = 'index' AND s.name = l.name ORDER BY l.seq DESC`,
    )
    .all(table) as { name: string; unique: number; partial: number; origin: string; sql: string | null }[]
  return rows.map((row) => ({
    ...row,
    unique: row.unique === 1,
    partial: row.partial === 1,
    columns: (
      database
        .prepare('SELECT name, "desc" FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno')
        .all(row.name) as {
        name: string | null
        desc: number
      }[]
    ).map((column) => ({ name: column.name, descending: column.desc === 1 })),
  }))
}

function otherObjects(database: SqliteDatabase): UnsupportedObject[] {
  const rows = database
    .prepare(
      `SELECT type, name, tbl_name, sql FROM sqlite_schema
        WHERE type IN ('view', 'trigger') OR (type = 'table' AND sql LIKE 'CREATE VIRTUAL%')`,
    )
    .all() as { type: string; name: string; tbl_name: string; sql: string }[]
  return rows.map(({ type, name, tbl_name: table, sql }) => ({
    kind: type === 'table' ? 'virtual table' : (type as 'view' | 'trigger'),
    table,
    name,
    sql,
  }))
}
