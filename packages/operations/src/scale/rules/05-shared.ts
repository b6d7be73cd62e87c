import { removeLines, type Rule } from '../rule.ts'

export const shared: Rule = {
  number: 5,
  code: 'OUTGROW_SCALE_SHARED',
  promise: 'No relation leads from a table that tenants share to a table of tenants.',
  why: 'Such a row lies on every machine, and the one that it refers to on one.',
  find: ({ placement }) =>
    placement.schema.foreignKeys
      .filter(
        ({ model, target }) =>
          placement.placeOf(model) !== 'tenant' && placement.placeOf(target) === 'tenant',
      )
      .map((key) => ({
        level: 'change',
        model: key.model,
        at: key.field,
        field: key.field.name,
        fact: `${key.model.name} is shared by all tenants, and ${key.field.name} refers to ${key.target.name}, whose rows are spread.`,
        fix: `Keep the column${key.fields.length > 1 ? 's' : ''} ${key.fields.join(', ')} without the relation. The application looks the row up, and may find none.`,
        edits: [
          removeLines(key.model, key.field),
          ...(key.opposite ? [removeLines(key.target, key.opposite)] : []),
        ],
      })),
}
