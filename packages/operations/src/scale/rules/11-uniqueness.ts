import type { Rule } from '../rule.ts'
import type { ScaleModel } from '../scale-schema.ts'
import { keysWithoutTenant } from './02-keys.ts'

export const uniqueness: Rule = {
  number: 11,
  code: 'OUTGROW_SCALE_UNIQUE',
  promise: 'What is unique over all tenants lies in a reference table.',
  why: 'A table that is whole on every machine can check all of its rows.',
  find: ({ placement }) =>
    [...placement.schema.models.values()]
      .filter((model) => placement.placeOf(model) === 'tenant')
      .flatMap((model) =>
        keysWithoutTenant(placement, model)
          .filter(({ isId, fields }) => !isId && !fields.some((name) => isReferring(model, name)))
          .map(({ fields, field, attribute }) => {
            const table = `${model.name}${fields.map((name) => name.charAt(0).toUpperCase() + name.slice(1)).join('')}`
            const lines = fields.map((name) => `  ${name} ${model.fields.get(name)?.type ?? 'String'}`)
            const key =
              fields.length === 1 ? [`${lines[0]} @id`] : [...lines, `  @@id([${fields.join(', ')}])`]
            return {
              level: 'decide' as const,
              model,
              at: field ?? attribute,
              field: field?.name ?? null,
              fact: `${model.name} (${fields.join(', ')}) is unique over all tenants today, and will be within each tenant.`,
              fix: 'If it must stay so, as an address or an id of elsewhere must, write it first into a reference table, in the same transaction.',
              edits: [],
              example: [`model ${table} {`, ...key, `  ${placement.added}`, '}'].join('\n'),
            }
          }),
      ),
}

/** A key of a relation is as unique as what it refers to. */
function isReferring({ foreignKeys }: ScaleModel, field: string): boolean {
  return foreignKeys.some(({ fields }) => fields.includes(field))
}
