import { nameThatIsMap } from '../../engine/engine-text.ts'
import { quotePsl } from '../../psl/parse.ts'
import type { Argument, Attribute, Expression } from '../../psl/syntax.ts'
import { argumentOf, fieldsOf, itemsOf } from '../../psl/syntax.ts'
import { attributeWith } from '../attribute-text.ts'
import { note, sourceText, type RuleContext } from '../context.ts'
import { changedIndexNames, nameOf, withMap, writtenName } from './index-names.ts'

const keyAttributes = new Set(['id', 'unique', 'index', 'relation'])

/** Keys, indexes and relations: what only Postgres can name, type or order is taken off for SQLite. */
export function keyRule(context: RuleContext, attribute: Attribute, field: string | undefined): void {
  if (!keyAttributes.has(attribute.name)) return
  if (field === undefined && namesOmitted(context, attribute)) return
  const where = argumentOf(attribute, 'where')
  if (where) noteWhere(context, attribute, where, field)
  const legacy = nameThatIsMap(attribute)
  if (legacy) noteLegacyName(context, attribute, legacy, field)
  const name = changedIndexNames(context.index, context.target).get(attribute)
  if (name !== undefined) noteName(context, attribute, name, field)
  if (context.target !== 'sqlite') {
    if (name !== undefined) renameForPostgres(context, attribute, name)
    else if (legacy) context.edits.replace(legacy, `map: ${sourceText(context, legacy.value)}`)
    return listIndexRule(context, attribute)
  }
  const dropped: string[] = []
  const kept = attributeWith(context, attribute, (argument) => {
    const written =
      argument === legacy ? `map: ${sourceText(context, argument.value)}` : sourceText(context, argument)
    if (
      argument.name === 'type' ||
      ((argument.name === 'map' || argument === legacy) && nameless(attribute))
    ) {
      dropped.push(written)
      return false
    }
    if (argument.value.kind === 'array' || isFields(argument)) {
      const items = withoutOperatorClasses(context, argument.value)
      if (items !== undefined) {
        dropped.push('ops')
        return argument.name === undefined ? items : `${argument.name}: ${items}`
      }
    }
    if (isSetNullOnRequired(context, attribute, argument, field)) {
      note(context, {
        code: 'OUTGROW_SCHEMA_REFERENTIAL_ACTION',
        at: argument,
        field,
        feature: written,
        action: 'rewritten',
        reason:
          'SQLite rejects SetNull on a required relation; it is Restrict there and stays SetNull on Postgres.',
      })
      return `${argument.name}: Restrict`
    }
    return written
  })
  const text = name === undefined ? kept : withMap(kept, attribute, name)
  if (text !== sourceText(context, attribute)) context.edits.replace(attribute, text)
  if (dropped.length > 0) {
    note(context, {
      code: 'OUTGROW_SCHEMA_KEY_DETAIL',
      at: attribute,
      field,
      feature: dropped.join(', '),
      action: 'dropped',
      reason: 'SQLite has one kind of index and does not name primary or foreign keys.',
    })
  }
}

function noteLegacyName(
  context: RuleContext,
  attribute: Attribute,
  name: Argument,
  field: string | undefined,
): void {
  note(context, {
    code: 'OUTGROW_SCHEMA_KEY_DETAIL',
    at: attribute,
    field,
    feature: sourceText(context, name),
    action: 'rewritten',
    reason: 'Since Prisma 3, the database name of a key is set with map:.',
  })
}

/** A key of a column that is left out on this side is left out too. */
function namesOmitted(context: RuleContext, attribute: Attribute): boolean {
  const missing = itemsOf(argumentOf(attribute, 'fields', true)?.value)
    .map(nameOf)
    .filter((name) => context.omitted.has(name))
  if (missing.length === 0) return false
  context.edits.removeLines(attribute)
  note(context, {
    code: 'OUTGROW_SCHEMA_KEY_DETAIL',
    at: attribute,
    feature: sourceText(context, attribute),
    action: 'dropped',
    reason: `${missing.join(', ')} is omitted on ${context.target}, and so are the keys and indexes that use it.`,
  })
  return true
}

function noteName(context: RuleContext, attribute: Attribute, name: string, field: string | undefined): void {
  note(context, {
    code: 'OUTGROW_SCHEMA_NAME',
    at: attribute,
    field,
    feature: sourceText(context, attribute),
    action: 'rewritten',
    reason:
      context.target === 'postgres'
        ? `Postgres limits names to 63 bytes and requires them to be unique; this one is ${name} there.`
        : `SQLite has one namespace for indexes and ignores case; this one is ${name} there.`,
  })
}

function renameForPostgres(context: RuleContext, attribute: Attribute, name: string): void {
  const map = writtenName(attribute)
  if (map) return context.edits.replace(map, `map: ${quotePsl(name)}`)
  const hasArguments = sourceText(context, attribute).endsWith(')')
  if (hasArguments) context.edits.insert(attribute.end - 1, `, map: ${quotePsl(name)}`)
  else context.edits.insert(attribute.end, `(map: ${quotePsl(name)})`)
}

/** SQLite names unique and plain indexes; primary and foreign keys have no name of their own. */
function nameless(attribute: Attribute): boolean {
  return attribute.name === 'id' || attribute.name === 'relation'
}

/** On Postgres a list that became Json cannot keep an array operator class. */
function listIndexRule(context: RuleContext, attribute: Attribute): void {
  if (context.options.keepLists) return
  const lists = new Set(
    fieldsOf(context.block)
      .filter((field) => field.arity === 'list' && !context.index.models.has(field.type))
      .map((field) => field.name),
  )
  for (const argument of attribute.args) {
    if (!isFields(argument)) continue
    const onList = itemsOf(argument.value).some((item) => lists.has(nameOf(item)))
    const kept = onList ? withoutOperatorClasses(context, argument.value) : undefined
    if (kept === undefined) continue
    context.edits.replace(argument.value, kept)
    note(context, {
      code: 'OUTGROW_SCHEMA_KEY_DETAIL',
      at: attribute,
      feature: 'ops',
      action: 'rewritten',
      reason: 'The list is now Json, so the index uses jsonb operators.',
    })
  }
}

/** The fields of a key: `fields: [a]`, `[a]`, or one without brackets. */
function isFields(argument: Argument): boolean {
  return argument.name === 'fields' || (argument.name === undefined && itemsOf(argument.value).length > 0)
}

/** `[title(ops: raw("gin_trgm_ops"), sort: Desc)]` without `ops`; undefined when there was none. */
function withoutOperatorClasses(context: RuleContext, fields: Expression): string | undefined {
  let changed = false
  const items = itemsOf(fields).map((item) => {
    if (item.kind !== 'call') return sourceText(context, item)
    const kept = item.args.filter((argument) => argument.name !== 'ops')
    if (kept.length === item.args.length) return sourceText(context, item)
    changed = true
    const args = kept.map((argument) => sourceText(context, argument)).join(', ')
    return args === '' ? item.name : `${item.name}(${args})`
  })
  return changed ? `[${items.join(', ')}]` : undefined
}

function isSetNullOnRequired(
  context: RuleContext,
  attribute: Attribute,
  argument: Argument,
  field: string | undefined,
): boolean {
  if (attribute.name !== 'relation') return false
  if (argument.name !== 'onDelete' && argument.name !== 'onUpdate') return false
  if (argument.value.kind !== 'path' || argument.value.text !== 'SetNull') return false
  const fields = fieldsOf(context.block)
  const columns = itemsOf(argumentOf(attribute, 'fields')?.value).map(nameOf)
  return (
    fields.find((candidate) => candidate.name === field)?.arity === 'required' ||
    columns.some((name) => fields.find((candidate) => candidate.name === name)?.arity === 'required')
  )
}

function noteWhere(
  context: RuleContext,
  attribute: Attribute,
  where: Argument,
  field: string | undefined,
): void {
  note(context, {
    code: 'OUTGROW_SCHEMA_COPIED',
    at: attribute,
    field,
    feature: sourceText(context, where),
    action: 'copied',
    reason: 'Both databases have partial indexes.',
  })
}
