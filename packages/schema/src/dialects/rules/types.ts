import { argumentOf, attributeOf, itemsOf, type Field } from '../../psl/syntax.ts'
import { nameOf } from './index-names.ts'
import { isScalarList, nativeTypeOf, note, sourceText, type RuleContext } from '../context.ts'

const countsInFull = new Set(['Json', 'Decimal', 'Bytes', 'BigInt'])
const vectorTypes = /^(vector|halfvec|sparsevec)\b/i

/** A field's type, arity and native type. */
export function typeRule(context: RuleContext, field: Field): void {
  if (field.type === 'Unsupported') return unsupportedRule(context, field)
  noteNewOnSqlite(context, field)
  if (isScalarList(context.index, field)) return listRule(context, field)
  nativeTypeRule(context, field)
  if (countsInFull.has(field.type)) {
    note(context, {
      code: 'OUTGROW_SCHEMA_COPIED',
      at: field,
      field: field.name,
      feature: field.type,
      action: 'copied',
      reason: 'Means the same on both databases.',
    })
  }
}

/** Prisma has enums and Json on SQLite since 6.2. */
function noteNewOnSqlite(context: RuleContext, field: Field): void {
  const { major, minor } = context.prisma
  if (context.target !== 'sqlite' || major > 6 || (major === 6 && minor >= 2)) return
  const isList = isScalarList(context.index, field)
  const isEnum = context.index.enums.has(field.type) && !isList
  if (!isEnum && field.type !== 'Json' && !isList) return
  note(context, {
    code: 'OUTGROW_SCHEMA_PRISMA_VERSION',
    at: field,
    field: field.name,
    feature: sourceText(context, field.typeSpan),
    action: 'noted',
    reason: `Prisma has ${isEnum ? 'enums' : 'Json'} on SQLite since 6.2, but this project uses ${major}.${minor}: update Prisma to use the SQLite schema.`,
  })
}

function nativeTypeRule(context: RuleContext, field: Field): void {
  const native = nativeTypeOf(context.index, field)
  if (context.target === 'postgres') {
    if (context.index.source === 'sqlite' && field.type === 'DateTime' && !native) {
      const last = field.attributes.at(-1)
      context.edits.insert(last?.end ?? field.typeSpan.end, ` @${context.index.datasource}.Timestamptz(3)`)
      note(context, {
        code: 'OUTGROW_SCHEMA_NATIVE_TYPE',
        at: field,
        field: field.name,
        feature: 'DateTime',
        action: 'rewritten',
        reason: 'On Postgres a point in time is a timestamptz with the milliseconds that Prisma stores.',
      })
    }
    return
  }
  if (!native) return
  context.edits.remove(native)
  note(context, {
    code: 'OUTGROW_SCHEMA_NATIVE_TYPE',
    at: native,
    field: field.name,
    feature: sourceText(context, native),
    action: 'dropped',
    reason: reasonForNative(native.name.slice(context.index.datasource.length + 1)),
  })
}

function reasonForNative(name: string): string {
  if (name === 'Citext') {
    return 'SQLite compares this text case-sensitively; Postgres still ignores case. Use the client’s case-insensitive search.'
  }
  if (/^(VarChar|Char|Bit|VarBit)$/.test(name)) {
    return 'SQLite does not enforce a length; a value that is too long is reported by the move.'
  }
  return 'SQLite has no native column types; Prisma’s type decides.'
}

/** SQLite has no arrays: a list of values is one Json value, on both sides, so that one client type fits. */
function listRule(context: RuleContext, field: Field): void {
  if (context.options.keepLists && context.target === 'postgres') return
  const native = nativeTypeOf(context.index, field)
  if (native) context.edits.remove(native)
  context.edits.replace(field.typeSpan, 'Json')
  if (!attributeOf(field, 'default')) {
    const empty = context.target === 'sqlite' ? `@default(dbgenerated("'[]'"))` : '@default("[]")'
    context.edits.insert(field.typeSpan.end, ` ${empty}`)
  }
  note(context, {
    code: 'OUTGROW_SCHEMA_LIST',
    at: field,
    field: field.name,
    feature: sourceText(context, { start: field.typeSpan.start, end: field.typeSpan.end }),
    action: 'rewritten',
    reason: 'A list of values becomes Json on both databases, so that one client serves both.',
    suggestion: 'Use --keep-lists to keep the array on Postgres.',
  })
}

function unsupportedRule(context: RuleContext, field: Field): void {
  const feature = sourceText(context, field.typeSpan)
  if (context.target === context.index.source) return
  const isKey =
    attributeOf(field, 'id') !== undefined ||
    attributeOf(field, 'unique') !== undefined ||
    context.block.members.some(
      (member) =>
        member.kind === 'attribute' &&
        /^(id|unique)$/.test(member.attribute.name) &&
        itemsOf(argumentOf(member.attribute, 'fields', true)?.value).some(
          (item) => nameOf(item) === field.name,
        ),
    )
  const isVector = vectorTypes.test(field.unsupported ?? '')
  if (isKey || isVector || (field.arity === 'required' && !attributeOf(field, 'default'))) {
    note(context, {
      code: 'OUTGROW_SCHEMA_UNSUPPORTED',
      at: field,
      field: field.name,
      feature,
      action: 'refused',
      reason: isVector
        ? 'A vector search has no counterpart on the other database.'
        : isKey
          ? 'A key must have a type that both databases support.'
          : 'A required column of a type that only one database supports cannot be written through the client.',
      suggestion: unsupportedSuggestion(context, field, isKey),
    })
    return
  }
  context.edits.removeMember(field)
  note(context, {
    code: 'OUTGROW_SCHEMA_UNSUPPORTED',
    at: field,
    field: field.name,
    feature,
    action: 'dropped',
    reason: 'Prisma’s client ignores this column, and the other database does not support its type.',
  })
}

function unsupportedSuggestion(context: RuleContext, field: Field, isKey: boolean): string {
  const attributes = field.attributes.map((attribute) => ` ${sourceText(context, attribute)}`).join('')
  if (isKey) return `Use a type that Prisma supports. Write in its place: ${field.name} String${attributes}`
  return `Omit it there. Write on the line above: // outgrow:${context.target} omit`
}
