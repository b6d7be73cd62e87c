import { storageMap } from '../storage-map.ts'
import { parsePrismaFile } from '../psl/parse.ts'
import { attributeOf, fieldsOf } from '../psl/syntax.ts'

/** Changes between two schemas that lose rows or values, or that existing rows can stand in the way of. */
export function dataLossWarnings(before: string, after: string): string[] {
  const warnings: string[] = []
  const models = storageMap(after)
  const defaults = fieldsWithDefault(after)
  for (const old of storageMap(before)) {
    const now = models.find(({ table }) => table === old.table)
    if (!now) {
      warnings.push(`Table ${old.table} is dropped with all its rows.`)
      continue
    }
    for (const field of old.fields) {
      const other = now.fields.find(({ column }) => column === field.column)
      if (!other) warnings.push(`Column ${old.table}.${field.column} is dropped with all its values.`)
      else if (other.type !== field.type || other.list !== field.list) {
        warnings.push(
          `Column ${old.table}.${field.column} changes from ${field.type} to ${other.type}: its values may be lost.`,
        )
      } else if (field.optional && !other.optional) {
        warnings.push(
          `Column ${old.table}.${field.column} becomes required: the migration fails if a row contains NULL.`,
        )
      }
    }
    for (const field of now.fields) {
      const isNew = !old.fields.some(({ column }) => column === field.column)
      if (isNew && !field.optional && !defaults.has(`${now.name}.${field.name}`)) {
        warnings.push(
          `Column ${now.table}.${field.column} is required and has no default: the migration fails if the table has rows.`,
        )
      }
    }
  }
  return warnings
}

function fieldsWithDefault(schema: string): Set<string> {
  return new Set(
    parsePrismaFile('schema.prisma', schema).blocks.flatMap((block) =>
      fieldsOf(block)
        .filter((field) => attributeOf(field, 'default') ?? attributeOf(field, 'updatedAt'))
        .map((field) => `${block.name}.${field.name}`),
    ),
  )
}
