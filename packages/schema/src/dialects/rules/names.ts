import { quotePsl } from '../../psl/parse.ts'
import { argumentOf, attributeOf, fieldsOf, stringOf, type Block } from '../../psl/syntax.ts'
import { note, storedBlockName, type RuleContext, type SchemaIndex } from '../context.ts'

/** SQLite folds case and has one namespace: names that only Postgres tells apart get a number there. */
export function nameRule(context: RuleContext): void {
  if (context.target !== 'sqlite') return
  tableName(context)
  columnNames(context)
}

function tableName(context: RuleContext): void {
  const schema = context.block.members.find(
    (member) => member.kind === 'attribute' && member.attribute.name === 'schema',
  )
  if (schema) {
    context.edits.removeLines(schema)
    note(context, {
      code: 'OUTGROW_SCHEMA_POSTGRES_ONLY',
      at: schema,
      feature: '@@schema',
      action: 'dropped',
      reason: 'SQLite has no schemas; the table keeps its name there, and its schema on Postgres.',
    })
  }
  const stored = storedBlockName(context)
  const name = sqliteTableNames(context.index).get(context.block) ?? stored
  if (name === stored) return
  const map = context.block.members.find(
    (member) => member.kind === 'attribute' && member.attribute.name === 'map',
  )
  if (map) context.edits.replace(map, `@@map(${quotePsl(name)})`)
  else context.edits.insert(context.block.bodyEnd, `\n  @@map(${quotePsl(name)})\n`)
  note(context, {
    code: 'OUTGROW_SCHEMA_NAME',
    at: context.block.nameSpan,
    feature: stored,
    action: 'rewritten',
    reason: `SQLite does not distinguish names that differ only by case or schema; this table is ${name} there.`,
  })
}

const tableNames = new WeakMap<SchemaIndex, Map<Block, string>>()

function sqliteTableNames(index: SchemaIndex): Map<Block, string> {
  const known = tableNames.get(index)
  if (known) return known
  const taken = new Set<string>()
  const names = new Map<Block, string>()
  for (const block of index.models.values()) {
    const name = free(storedBlockName({ block }), taken)
    names.set(block, name)
  }
  tableNames.set(index, names)
  return names
}

function columnNames(context: RuleContext): void {
  const taken = new Set<string>()
  for (const field of fieldsOf(context.block)) {
    if (context.index.models.has(field.type)) continue
    const map = attributeOf(field, 'map')
    const stored = stringOf(argumentOf(map, 'name', true)) ?? field.name
    const name = free(stored, taken)
    if (name === stored) continue
    if (map) context.edits.replace(map, `@map(${quotePsl(name)})`)
    else context.edits.insert(field.typeSpan.end, ` @map(${quotePsl(name)})`)
    note(context, {
      code: 'OUTGROW_SCHEMA_NAME',
      at: field,
      field: field.name,
      feature: stored,
      action: 'rewritten',
      reason: `SQLite does not distinguish names that differ only by case; this column is ${name} there.`,
    })
  }
}

function free(wanted: string, taken: Set<string>): string {
  let name = wanted
  for (let number = 2; taken.has(name.toLowerCase()); number++) name = `${wanted}_${number}`
  taken.add(name.toLowerCase())
  return name
}
