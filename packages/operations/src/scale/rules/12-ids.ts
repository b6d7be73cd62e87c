import { argumentOf, attributeOf } from '@outgrow/schema'
import type { Rule } from '../rule.ts'

export const ids: Rule = {
  number: 12,
  code: 'OUTGROW_SCALE_ID',
  promise: 'Ids are made where the row is: cuid or uuid, and not counted by one sequence.',
  why: 'Every machine asks one sequence for each row. It works, more slowly.',
  find: ({ placement }) =>
    [...placement.schema.models.values()]
      .filter((model) => placement.placeOf(model) === 'tenant')
      .flatMap((model) =>
        [...model.fields.values()].flatMap((field) => {
          const attribute = attributeOf(field, 'default')
          const value = argumentOf(attribute, 'value', true)?.value
          if (!attribute || value?.kind !== 'call' || value.name !== 'autoincrement') return []
          const referring = placement.schema.foreignKeys
            .filter(({ target, references }) => target === model && references.includes(field.name))
            .map((key) => `${key.model.name}.${key.fields[key.references.indexOf(field.name)]}`)
          const also = referring.length === 0 ? '' : `, and the type of ${referring.join(', ')}`
          return {
            level: 'advice' as const,
            model,
            at: field,
            field: field.name,
            fact: `${model.name}.${field.name} is counted by a sequence.`,
            fix: `Make it a cuid or a uuid${also}.`,
            edits: [],
            example: `${field.name} String @default(cuid())`,
          }
        }),
      ),
}
