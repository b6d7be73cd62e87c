import { argumentOf } from '@outgrow/schema'
import type { Placement } from '../placement.ts'
import type { Edit, Rule } from '../rule.ts'
import type { ForeignKey } from '../scale-schema.ts'

export const actions: Rule = {
  number: 4,
  code: 'OUTGROW_SCALE_ACTION',
  promise: 'Relations with the tenant in them say onUpdate: NoAction, and never SetNull or SetDefault.',
  why: 'The others would take a row to another machine, or leave it without a tenant.',
  find: ({ placement }) =>
    placement.schema.foreignKeys
      .filter((key) => willHaveTenant(placement, key))
      .flatMap((key) => {
        const edits = [
          ...(isKept(key.onUpdate) ? [] : action(key, 'onUpdate', 'NoAction')),
          ...(isNulled(placement, key) ? action(key, 'onDelete', 'NoAction') : []),
        ]
        if (edits.length === 0) return []
        const facts = [
          ...(isKept(key.onUpdate) ? [] : [`onUpdate is ${key.onUpdate ?? 'Cascade, Prisma’s default'}`]),
          ...(isNulled(placement, key) ? [`onDelete is ${key.onDelete ?? 'SetNull, Prisma’s default'}`] : []),
        ]
        return {
          level: 'change' as const,
          model: key.model,
          at: key.field,
          field: key.field.name,
          fact: `${key.model.name}.${key.field.name} refers to ${key.target.name}, and ${facts.join(', and ')}.`,
          fix: isNulled(placement, key)
            ? 'Write NoAction. What the database set to NULL, the application sets before it deletes.'
            : 'Write NoAction: an id never changes anyway.',
          edits,
        }
      }),
}

function willHaveTenant(placement: Placement, { model, target, fields }: ForeignKey): boolean {
  if (placement.placeOf(model) !== 'tenant') return false
  return placement.placeOf(target) === 'tenant' || fields.includes(placement.tenantName(model))
}

const isKept = (onUpdate: string | undefined): boolean => onUpdate === 'NoAction' || onUpdate === 'Restrict'

function isNulled(placement: Placement, { field, model, fields, onDelete }: ForeignKey): boolean {
  if (onDelete !== undefined) return onDelete === 'SetNull' || onDelete === 'SetDefault'
  // One that names the tenant alone becomes required, which Prisma restricts.
  const isTenantAlone = fields.length === 1 && fields[0] === placement.tenantName(model)
  return field.arity === 'optional' && !isTenantAlone
}

function action({ model, attribute }: ForeignKey, name: string, value: string): Edit[] {
  const given = argumentOf(attribute, name)?.value
  if (given) return [{ model, start: given.start, end: given.end, text: value }]
  const end = attribute.end - 1
  return [{ model, start: end, end, text: `, ${name}: ${value}` }]
}
