import { storedBlockName } from './dialects/context.ts'
import { parsePrismaFile } from './psl/parse.ts'
import { argumentOf, attributeOf, fieldsOf, stringOf, type Block } from './psl/syntax.ts'

export interface StoredField {
  name: string
  column: string
  /** Prisma's scalar type, an enum's name, or `Unsupported`. */
  type: string
  optional: boolean
  list: boolean
}

export interface StoredModel {
  name: string
  table: string
  /** `@@schema`, where the schema has one. */
  schema: string | undefined
  fields: StoredField[]
}

/** Which table and column each model and field of a schema is stored in; ignored ones included. */
export function storageMap(schemaText: string): StoredModel[] {
  const { blocks } = parsePrismaFile('schema.prisma', schemaText)
  const relations = new Set(
    blocks.filter(({ kind }) => kind === 'model' || kind === 'view').map(({ name }) => name),
  )
  return blocks
    .filter(({ kind }) => kind === 'model')
    .map((block) => ({
      name: block.name,
      table: storedBlockName({ block }),
      schema: schemaName(block),
      fields: fieldsOf(block)
        .filter((field) => !relations.has(field.type))
        .map((field) => ({
          name: field.name,
          column: stringOf(argumentOf(attributeOf(field, 'map'), 'name', true)) ?? field.name,
          type: field.type,
          optional: field.arity === 'optional',
          list: field.arity === 'list',
        })),
    }))
}

function schemaName(block: Block): string | undefined {
  const member = block.members.find((m) => m.kind === 'attribute' && m.attribute.name === 'schema')
  return member?.kind === 'attribute' ? stringOf(argumentOf(member.attribute, 'name', true)) : undefined
}
