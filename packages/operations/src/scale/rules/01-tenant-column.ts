import { attributeOf } from '@outgrow/schema'
import { linkEdits } from '../link-model.ts'
import type { Placement } from '../placement.ts'
import { addLine, type Edit, type Rule, type Violation } from '../rule.ts'
import { columnOf, nativeTypeOf, type ScaleModel } from '../scale-schema.ts'
import { textOf } from '../placement.ts'

export const tenantColumn: Rule = {
  number: 1,
  code: 'OUTGROW_SCALE_TENANT_COLUMN',
  promise: 'Every table of tenants has a column with the tenant, never NULL, of one name and type.',
  why: 'The tenant decides which machine a row lies on.',
  find: ({ placement }) => {
    const models = [...placement.schema.models.values()].filter(
      (model) => placement.placeOf(model) === 'tenant',
    )
    return [...models.flatMap((model) => ofModel(placement, model)), ...ofLinks(placement)]
  },
}

function ofModel(placement: Placement, model: ScaleModel): Violation[] {
  const { tenant, added, column } = placement
  const field = placement.tenantField(model)
  if (!field)
    return [
      {
        level: 'change',
        model,
        at: model.block.nameSpan,
        field: null,
        fact: `${model.name} belongs to ${tenant.model.name} only through other tables.`,
        fix: 'Give each row its tenant, and fill the column before it is required.',
        edits: [addLine(model, added)],
      },
    ]
  const violations: Violation[] = []
  const found = (fact: string, fix: string, edits: Edit[]) =>
    violations.push({ level: 'change', model, at: field, field: field.name, fact, fix, edits })
  if (field.arity === 'optional') {
    const alone = model.foreignKeys.filter(({ fields }) => fields.length === 1 && fields[0] === field.name)
    const optional = [field, ...alone.map((key) => key.field)].filter(({ arity }) => arity === 'optional')
    found(
      `${model.name}.${field.name} may be NULL.`,
      'Make it required. Rows without a tenant get one first, or a table of their own.',
      optional.map(({ typeSpan: { end } }) => ({ model, start: end - 1, end, text: '' })),
    )
  }
  if (columnOf(field) !== column) {
    const map = attributeOf(field, 'map')
    const text = `@map(${JSON.stringify(column)})`
    const edit: Edit = map
      ? { model, start: map.start, end: map.end, text }
      : { model, start: field.typeSpan.end, end: field.typeSpan.end, text: ` ${text}` }
    found(
      `The tenant’s column is called ${columnOf(field)} here, and ${column} in other tables.`,
      'Rename the column; the field keeps its name.',
      [edit],
    )
  }
  const native = nativeTypeOf(field)
  const expected = nativeTypeOf(tenant.key)
  const nativeText = native ? textOf(model, native) : ''
  const expectedText = expected ? textOf(tenant.model, expected) : ''
  if (nativeText !== expectedText) {
    const edit: Edit = native
      ? { model, start: native.start, end: native.end, text: expectedText }
      : { model, start: field.typeSpan.end, end: field.typeSpan.end, text: ` ${expectedText}` }
    found(
      `Its type in the database is ${nativeText || 'the default'}, and ${tenant.model.name}.${tenant.key.name} is ${expectedText || 'the default'}.`,
      'Use one type: rows of different types land on different machines.',
      [edit],
    )
  }
  return violations
}

/** Tables that Prisma keeps for itself have no other columns than both ids. */
function ofLinks(placement: Placement): Violation[] {
  return placement.schema.links
    .filter(({ ends }) => ends.some(({ model }) => placement.placeOf(model) === 'tenant'))
    .map((link) => {
      const [one, other] = link.ends
      return {
        level: 'change',
        model: one.model,
        at: one.field,
        field: one.field.name,
        fact: `Prisma keeps the relation between ${one.model.name} and ${other.model.name} in a table of its own, which has no column for the tenant.`,
        fix: 'Make it a model with the tenant. Code that connects rows creates and deletes its rows then.',
        edits: linkEdits(placement, link),
      }
    })
}
