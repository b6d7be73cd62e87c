import { argumentOf, type Argument } from '@outgrow/schema'
import { textOf, type Placement } from '../placement.ts'
import type { Edit, Rule } from '../rule.ts'
import type { ForeignKey } from '../scale-schema.ts'

export const relations: Rule = {
  number: 3,
  code: 'OUTGROW_SCALE_RELATION',
  promise: 'Every relation between such tables contains the tenant on both sides.',
  why: 'A row may only refer to rows of its own machine.',
  find: ({ placement }) =>
    placement.schema.foreignKeys
      .filter((key) => isBetweenTenants(placement, key) && !hasTenant(placement, key))
      .map((key) => ({
        level: 'change',
        model: key.model,
        at: key.field,
        field: key.field.name,
        fact: `${key.model.name}.${key.field.name} refers to ${key.target.name} by (${key.references.join(', ')}).`,
        fix: 'Put the tenant in front on both sides.',
        edits: [
          ...withTenant(key, 'fields', placement.tenantName(key.model)),
          ...withTenant(key, 'references', placement.tenantName(key.target)),
        ],
      })),
}

function isBetweenTenants({ placeOf }: Placement, { model, target }: ForeignKey): boolean {
  return placeOf(model) === 'tenant' && placeOf(target) === 'tenant'
}

function hasTenant(placement: Placement, { model, target, fields, references }: ForeignKey): boolean {
  const at = fields.indexOf(placement.tenantName(model))
  return at >= 0 && references[at] === placement.tenantName(target)
}

function withTenant({ model, attribute }: ForeignKey, name: string, tenant: string): Edit[] {
  const value = argumentOf(attribute, name)?.value as Argument['value']
  const inner = value.kind === 'array' ? textOf(model, value).slice(1) : `${textOf(model, value)}]`
  return [{ model, start: value.start, end: value.end, text: `[${tenant}, ${inner}` }]
}
