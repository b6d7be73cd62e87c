import { argumentOf } from '@outgrow/schema'
import { textOf, type Placement } from '../placement.ts'
import { addLine, removePiece, type Edit, type Rule } from '../rule.ts'
import type { Key, ScaleModel } from '../scale-schema.ts'

export const keys: Rule = {
  number: 2,
  code: 'OUTGROW_SCALE_KEY',
  promise: 'Every id and every unique key of such a table contains the tenant.',
  why: 'Each machine checks the uniqueness of its own rows only.',
  find: ({ placement }) =>
    [...placement.schema.models.values()]
      .filter((model) => placement.placeOf(model) === 'tenant')
      .flatMap((model) =>
        keysWithoutTenant(placement, model).map((key) => ({
          level: 'change',
          model,
          at: key.field ?? key.attribute,
          field: key.field?.name ?? null,
          fact: `${key.isId ? 'The id' : 'The unique key'} of ${model.name} is (${key.fields.join(', ')}).`,
          fix: `Put ${placement.tenantName(model)} in front. Code that finds a row by this key names the tenant too.`,
          edits: keyEdits(placement, model, key),
        })),
      ),
}

export function keysWithoutTenant(placement: Placement, model: ScaleModel): Key[] {
  return model.keys.filter(({ fields }) => !fields.includes(placement.tenantName(model)))
}

function keyEdits(placement: Placement, model: ScaleModel, key: Key): Edit[] {
  const tenant = placement.tenantName(model)
  const list = argumentOf(key.attribute, 'fields', true)?.value
  if (!key.field)
    return list ? [{ model, start: list.start + 1, end: list.start + 1, text: `${tenant}, ` }] : []
  const wanted = [tenant, ...key.fields]
  const isThere = model.keys.some(
    ({ fields }) => fields.length === wanted.length && wanted.every((name) => fields.includes(name)),
  )
  const rest = key.attribute.args.filter(({ name }) => name === 'map').map((one) => `, ${textOf(model, one)}`)
  const line = `@@${key.isId ? 'id' : 'unique'}([${wanted.join(', ')}]${rest.join('')})`
  return [removePiece(model, key.attribute), ...(isThere && !key.isId ? [] : [addLine(model, line)])]
}
