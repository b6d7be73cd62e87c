import { attributeOf } from '@outgrow/schema'
import { textOf, type Placement } from './placement.ts'
import { removePiece, type Edit } from './rule.ts'
import {
  idFieldOf,
  nativeTypeOf,
  tableOfLink,
  type Link,
  type LinkEnd,
  type ScaleModel,
} from './scale-schema.ts'

/** Makes an implicit many-to-many relation a model over the same table, with the tenant as another column. */
export function linkEdits(placement: Placement, link: Link): Edit[] {
  const [a, b] = link.ends
  const { models } = placement.schema
  const given = (link.name ?? '').replace(/[^A-Za-z0-9]/g, '')
  let name = `${a.model.name}${b.model.name === a.model.name ? 'Link' : b.model.name}${given}`
  while (models.has(name)) name += 'Link'
  const isSelf = a.model === b.model
  const [tenantField = '', ...rest] = placement.added.split(' ')
  const ends = link.ends.map((end, at) => {
    const letter = at === 0 ? 'A' : 'B'
    const relation = isSelf ? `${name}${letter}` : undefined
    const own = isSelf ? letter.toLowerCase() : camel(end.model.name)
    // The tenant may be an end itself.
    return { end, letter, relation, name: `${own}Id` === tenantField ? `linked${end.model.name}` : own }
  })
  const idType = ({ model }: LinkEnd) => {
    const id = idFieldOf(model)
    const native = id && nativeTypeOf(id)
    return `${id?.type ?? 'String'}${native ? ` ${textOf(model, native)}` : ''}`
  }
  const scalars = ends.map((one) => `${one.name}Id ${idType(one.end)} @map("${one.letter}")`)
  const relations = ends.map((one) => {
    const { model } = one.end
    const isTenant = placement.placeOf(model) === 'tenant'
    const id = idFieldOf(model)?.name ?? 'id'
    const fields = [...(isTenant ? [tenantField] : []), `${one.name}Id`]
    const references = [...(isTenant ? [placement.tenantName(model)] : []), id]
    const named = one.relation === undefined ? '' : `"${one.relation}", `
    const action = isTenant ? ', onUpdate: NoAction' : ''
    return `${one.name} ${model.name} @relation(${named}fields: [${fields.join(', ')}], references: [${references.join(', ')}], onDelete: Cascade${action})`
  })
  const ids = ends.map((one) => `${one.name}Id`)
  const body = [
    [tenantField, ...rest].join(' '),
    ...scalars,
    ...relations,
    `@@id([${[tenantField, ...ids].join(', ')}])`,
    `@@map(${JSON.stringify(tableOfLink(link))})`,
  ]
  const model = `\n\nmodel ${name} {\n${body.map((line) => `  ${line}\n`).join('')}}`
  return [
    ...ends.flatMap((one) => listEdits(one.end, name, one.relation)),
    { model: a.model, start: a.model.block.end, end: a.model.block.end, text: model },
  ]
}

function listEdits({ model, field }: LinkEnd, link: string, relation: string | undefined): Edit[] {
  const { start, end } = field.typeSpan
  const named = relation === undefined ? '' : ` @relation("${relation}")`
  const before = attributeOf(field, 'relation')
  return [{ model, start, end, text: `${link}[]${named}` }, ...(before ? [removePiece(model, before)] : [])]
}

const camel = (name: ScaleModel['name']): string => name.charAt(0).toLowerCase() + name.slice(1)
