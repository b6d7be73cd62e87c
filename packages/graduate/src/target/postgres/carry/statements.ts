import { quoteIdentifier, quoteLiteral, shortName } from '@outgrow/databases'
import { assertNever } from '@outgrow/kit'
import type { PlannedTable } from '../../../model/plan.ts'
import type { IndexTerm, SourceObject } from '../../../model/source-object.ts'
import { qualified } from '../constraints.ts'
import { sqlType } from '../../../types/value-types.ts'
import { translateExpression, translateTerm, Untranslatable, type NamedColumn } from './translate.ts'

/** What the statement of one object is made from. */
export interface StatementContext {
  table: PlannedTable
  /** The table's columns as an expression may name them. */
  columns: NamedColumn[]
  tableNamed(source: string): PlannedTable | undefined
}

/**
 * The statement that gives the target what the file has, in the target's names.
 * @throws Untranslatable saying why there is none
 */
export function statementFor(object: SourceObject, context: StatementContext): string {
  if (object.kind === 'view' || object.kind === 'trigger')
    throw new Untranslatable('PostgreSQL triggers are written in a different language')
  const at = qualified(context.table.target)
  switch (object.kind) {
    case 'unique':
    case 'index': {
      const terms = object.terms.map((term) => indexTerm(term, context)).join(', ')
      const where = object.where === undefined ? '' : ` WHERE ${condition(object.where, context)}`
      const unique = object.kind === 'unique' ? 'UNIQUE ' : ''
      return `CREATE ${unique}INDEX ${quoteIdentifier(shortName(indexName(object)))} ON ${at} (${terms})${where}`
    }
    case 'check':
      return `ALTER TABLE ${at} ADD CONSTRAINT ${quoteIdentifier(shortName(object.name))} CHECK (${condition(object.expression, context)})`
    case 'not null':
      return `ALTER TABLE ${at} ALTER COLUMN ${targetColumn(object.columns[0], context)} SET NOT NULL`
    case 'default':
      return `ALTER TABLE ${at} ALTER COLUMN ${targetColumn(object.columns[0], context)} SET DEFAULT ${defaultSql(object.expression, object.columns[0], context)}`
    case 'generated column': {
      const { sql, kind } = translateExpression(object.expression, context.columns)
      const [name] = object.columns as [string]
      const type = generatedType(declaredTypeOf(context, name), kind)
      return `ALTER TABLE ${at} ADD COLUMN ${quoteIdentifier(name)} ${type} GENERATED ALWAYS AS (${sql}) STORED`
    }
    case 'foreign key':
      return foreignKey(object, context, at)
    default:
      return assertNever(object)
  }
}

function indexName({ name, table, columns, kind }: SourceObject): string {
  return name.startsWith(`${table}.`)
    ? `${table}_${columns.join('_')}_${kind === 'unique' ? 'key' : 'idx'}_1`
    : name
}

function indexTerm(term: IndexTerm, context: StatementContext): string {
  const direction = term.descending ? ' DESC' : ''
  const collate = term.collation === 'BINARY' ? '' : ` COLLATE ${term.collation}`
  const text = term.isColumn ? `"${term.text.replaceAll('"', '""')}"` : term.text
  const isPlain = term.isColumn && collate === ''
  // An index' own collation counts, not the column's.
  const columns = context.columns.map((column) => ({ ...column, collation: undefined }))
  const known = columns.find(({ source }) => source.toLowerCase() === term.text.toLowerCase())
  if (term.isColumn && !known) throw new Untranslatable(`${term.text} is not in the target`)
  if (isPlain && known) return `${quoteIdentifier(known.target.name)}${direction}`
  const hasOwn = / collate /i.test(term.text)
  return `(${translateTerm(hasOwn ? term.text : `${text}${collate}`, columns)})${direction}`
}

function condition(expression: string, context: StatementContext): string {
  const { sql, kind } = translateExpression(expression, context.columns)
  if (kind !== 'bool') throw new Untranslatable('a number or text is used as a boolean')
  return sql
}

function targetColumn(source: string | undefined, { columns }: StatementContext): string {
  const column = columns.find((one) => one.source === source)
  if (!column) throw new Untranslatable(`${source ?? 'the column'} is not in the target`)
  return quoteIdentifier(column.target.name)
}

function defaultSql(expression: string, source: string | undefined, { columns }: StatementContext): string {
  const target = columns.find((one) => one.source === source)?.target
  const type = target?.type ?? ''
  const bare = expression
    .trim()
    .replace(/^\((.*)\)$/s, '$1')
    .trim()
  if (target?.element) return listSql(bare, target.element.type)
  const isMoment = sqlType(type)?.kind === 'moment'
  if (isMoment && /^(current_timestamp|datetime\s*\(\s*'now'\s*\))$/i.test(bare)) return 'CURRENT_TIMESTAMP'
  if (isMoment && /^(current_date|date\s*\(\s*'now'\s*\))$/i.test(bare)) return 'CURRENT_DATE'
  if (
    /^int[48]$/.test(type) &&
    /^(unixepoch\s*\(\s*('now'\s*)?\)|strftime\s*\(\s*'%s'\s*,\s*'now'\s*\))$/i.test(bare)
  ) {
    return 'floor(extract(epoch FROM now()))::int8'
  }
  if (isMoment && !/^'\d{4}-\d\d-\d\d/.test(bare))
    throw new Untranslatable('it is not a date that PostgreSQL can read')
  const { sql, kind } = translateExpression(bare, [])
  if (type === 'bool' && /^\(*[01]\)*$/.test(sql)) return sql.includes('1') ? 'true' : 'false'
  if (sqlType(type)?.kind === 'text' && (kind === 'number' || kind === 'float')) {
    if (!/^[+-]?\d{1,15}$/.test(bare))
      throw new Untranslatable('SQLite converts a number to text by its own rules')
    return `'${Number(bare)}'`
  }
  return sql
}

/** A Json array's text as an array of PostgreSQL. */
function listSql(literal: string, elementType: string): string {
  let items: unknown
  try {
    items = JSON.parse(/^'(.*)'$/s.exec(literal)?.[1]?.replaceAll("''", "'") ?? '')
  } catch {
    items = undefined // it is computed, or no Json
  }
  const isKnown = Array.isArray(items) && (items.length === 0 || sqlType(elementType)?.kind !== 'moment')
  if (!isKnown) throw new Untranslatable('it is not the text of a Json array')
  const written = (items as unknown[]).map((item) => {
    if (item === null) return 'NULL'
    const text = typeof item === 'string' ? item : JSON.stringify(item)
    return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
  })
  return quoteLiteral(`{${written.join(',')}}`)
}

function declaredTypeOf({ table }: StatementContext, column: string): string {
  return table.source.columns.find(({ name }) => name === column)?.declaredType.toUpperCase() ?? ''
}

function generatedType(declared: string, kind: string): string {
  switch (kind) {
    case 'bool':
      return 'boolean'
    case 'text':
      return 'text'
    case 'float':
      return 'double precision'
    case 'number':
      return /REAL|FLOA|DOUB/.test(declared) ? 'double precision' : 'bigint'
    default:
      throw new Untranslatable(`generated ${kind} columns are not supported`)
  }
}

function foreignKey(
  object: Extract<SourceObject, { kind: 'foreign key' }>,
  context: StatementContext,
  at: string,
): string {
  const { key, isDeferred } = object
  const parent = context.tableNamed(key.parent)
  if (!parent) throw new Untranslatable(`${key.parent} is not in the target`)
  const named = (table: PlannedTable, names: string[]) =>
    names
      .map(
        (name) =>
          table.columns.find(({ source }) => source.toLowerCase() === name.toLowerCase())?.target.name,
      )
      .map((name) => {
        if (name === undefined) throw new Untranslatable('one of its columns is not in the target')
        return quoteIdentifier(name)
      })
      .join(', ')
  const theirs = key.parentColumns.length > 0 ? key.parentColumns : parent.source.primaryKey
  const name = shortName(`${context.table.target.name}_${key.columns.join('_')}_fkey_1`)
  return `ALTER TABLE ${at} ADD CONSTRAINT ${quoteIdentifier(name)} FOREIGN KEY (${named(context.table, key.columns)}) REFERENCES ${qualified(parent.target)} (${named(parent, theirs)}) ON DELETE ${key.onDelete} ON UPDATE ${key.onUpdate}${isDeferred ? ' DEFERRABLE INITIALLY DEFERRED' : ''}`
}
