import {
  argumentOf,
  attributeOf,
  fieldsOf,
  indexSchema,
  itemsOf,
  stringOf,
  type Attribute,
  type Block,
  type Expression,
  type Field,
  type PrismaFile,
  type SchemaSource,
} from '@outgrow/schema'

/** A model, as far as spreading its table over a cluster goes. */
export interface ScaleModel {
  name: string
  /** Its table's name in the database, and its schema's where `@@schema` names one. */
  table: string
  schema: string | undefined
  block: Block
  file: PrismaFile
  fields: ReadonlyMap<string, Field>
  keys: Key[]
  foreignKeys: ForeignKey[]
}

/** An id or a unique key. */
export interface Key {
  isId: boolean
  fields: string[]
  attribute: Attribute
  /** The field that it is written at; undefined for `@@id` and `@@unique`. */
  field: Field | undefined
}

/** A relation, on the side that holds the columns. */
export interface ForeignKey {
  model: ScaleModel
  target: ScaleModel
  field: Field
  attribute: Attribute
  fields: string[]
  references: string[]
  /** Whether every row has one. */
  isRequired: boolean
  onDelete: string | undefined
  onUpdate: string | undefined
  /** The field on the other side. */
  opposite: Field | undefined
}

/** An implicit many-to-many relation: Prisma keeps its table. */
export interface Link {
  name: string | undefined
  /** As Prisma's table has them: `A`, `B`. */
  ends: [LinkEnd, LinkEnd]
}

export interface LinkEnd {
  model: ScaleModel
  field: Field
}

export interface ScaleSchema {
  models: ReadonlyMap<string, ScaleModel>
  foreignKeys: ForeignKey[]
  links: Link[]
}

/** @throws Failure OUTGROW_SCHEMA_INVALID, OUTGROW_SCHEMA_PROVIDER */
export function readScaleSchema(source: SchemaSource): ScaleSchema {
  const { files } = indexSchema(source)
  const models = new Map<string, ScaleModel>()
  for (const file of files)
    for (const block of file.blocks) if (block.kind === 'model') models.set(block.name, modelOf(file, block))
  for (const model of models.values()) readForeignKeys(model, models)
  return {
    models,
    foreignKeys: [...models.values()].flatMap(({ foreignKeys }) => foreignKeys),
    links: linksOf(models),
  }
}

/** A field's column. */
export function columnOf(field: Field): string {
  return stringOf(argumentOf(attributeOf(field, 'map'), 'name', true)) ?? field.name
}

/** A native type, such as `@db.Uuid`. */
export function nativeTypeOf(field: Field): Attribute | undefined {
  return field.attributes.find(({ name }) => name.includes('.'))
}

/** Models that have relations. */
export function relatedModels({ foreignKeys, links }: ScaleSchema): Set<ScaleModel> {
  return new Set([
    ...foreignKeys.flatMap(({ model, target }) => [model, target]),
    ...links.flatMap(({ ends }) => ends.map(({ model }) => model)),
  ])
}

/** The field that is the model's id on its own. */
export function idFieldOf({ keys, fields }: ScaleModel): Field | undefined {
  const id = keys.find(({ isId }) => isId)
  return id?.fields.length === 1 ? fields.get(id.fields[0] ?? '') : undefined
}

const namesOf = (value: Expression | undefined): string[] =>
  itemsOf(value).map((item) => (item.kind === 'call' ? item.name : item.kind === 'path' ? item.text : ''))

function modelOf(file: PrismaFile, block: Block): ScaleModel {
  const fields = new Map(fieldsOf(block).map((field) => [field.name, field]))
  const keys: Key[] = []
  let table = block.name
  let schema: string | undefined
  for (const field of fields.values())
    for (const attribute of field.attributes)
      if (attribute.name === 'id' || attribute.name === 'unique')
        keys.push({ isId: attribute.name === 'id', fields: [field.name], attribute, field })
  for (const member of block.members) {
    if (member.kind !== 'attribute') continue
    const { attribute } = member
    if (attribute.name === 'schema') schema = stringOf(argumentOf(attribute, 'name', true)) ?? schema
    if (attribute.name === 'map') table = stringOf(argumentOf(attribute, 'name', true)) ?? table
    if (attribute.name !== 'id' && attribute.name !== 'unique') continue
    const list = namesOf(argumentOf(attribute, 'fields', true)?.value)
    keys.push({ isId: attribute.name === 'id', fields: list, attribute, field: undefined })
  }
  return { name: block.name, table, schema, block, file, fields, keys, foreignKeys: [] }
}

function readForeignKeys(model: ScaleModel, models: ReadonlyMap<string, ScaleModel>): void {
  for (const field of model.fields.values()) {
    const target = models.get(field.type)
    const attribute = attributeOf(field, 'relation')
    const fields = namesOf(argumentOf(attribute, 'fields')?.value)
    if (!target || !attribute || fields.length === 0) continue
    const action = (name: string) => namesOf(argumentOf(attribute, name)?.value)[0]
    model.foreignKeys.push({
      model,
      target,
      field,
      attribute,
      fields,
      references: namesOf(argumentOf(attribute, 'references')?.value),
      isRequired: fields.every((name) => model.fields.get(name)?.arity === 'required'),
      onDelete: action('onDelete'),
      onUpdate: action('onUpdate'),
      opposite: oppositeOf(field, model, target),
    })
  }
}

function relationName(field: Field): string | undefined {
  return stringOf(argumentOf(attributeOf(field, 'relation'), 'name', true))
}

function oppositeOf(field: Field, model: ScaleModel, target: ScaleModel): Field | undefined {
  return [...target.fields.values()].find(
    (other) => other !== field && other.type === model.name && relationName(other) === relationName(field),
  )
}

/** The table that Prisma keeps for it. */
export function tableOfLink({ name, ends }: Link): string {
  return `_${name ?? ends.map(({ model }) => model.name).join('To')}`
}

function linksOf(models: ReadonlyMap<string, ScaleModel>): Link[] {
  const seen = new Set<Field>()
  const links: Link[] = []
  for (const model of models.values()) {
    for (const field of model.fields.values()) {
      const target = models.get(field.type)
      if (!target || field.arity !== 'list' || seen.has(field)) continue
      const other = oppositeOf(field, model, target)
      if (other?.arity !== 'list') continue
      seen.add(field).add(other)
      const ends: [LinkEnd, LinkEnd] = [
        { model, field },
        { model: target, field: other },
      ]
      // Prisma's rule: by the models' names; of one model, by the fields'.
      const key = (end: LinkEnd) => (model === target ? end.field.name : end.model.name)
      links.push({
        name: relationName(field),
        ends: key(ends[0]) <= key(ends[1]) ? ends : [ends[1], ends[0]],
      })
    }
  }
  return links
}
