import type { Field } from '@outgrow/schema'
import { columnOf, nativeTypeOf, relatedModels, type ScaleModel, type ScaleSchema } from './scale-schema.ts'
import type { Tenant } from './tenant.ts'

/**
 * `tenant`: spread by the tenant. `reference`: whole on every machine, so that rows of all tenants can refer to it.
 * `local`: on the coordinator alone.
 */
export type Place = 'tenant' | 'reference' | 'local'

/** Where each table goes, and by which column the tenants' are spread. */
export interface Placement {
  schema: ScaleSchema
  tenant: Tenant
  placeOf(model: ScaleModel): Place
  /** The field that holds the tenant, where the model has one. */
  tenantField(model: ScaleModel): Field | undefined
  /** How that field is called, or will be. */
  tenantName(model: ScaleModel): string
  /** The column that all of them have. */
  column: string
  /** The field that is added where there is none, such as `accountId String @map("account_id")`. */
  added: string
}

export function placeTables(schema: ScaleSchema, tenant: Tenant): Placement {
  const tenants = tenantModels(schema, tenant)
  const referring = relatedModels(schema)
  const own = tenantFields([...tenants], tenant)
  const { column, name } = commonName([...tenants], own, tenant)
  const native = nativeTypeOf(tenant.key)
  const nativeText = native ? ` ${textOf(tenant.model, native)}` : ''
  return {
    schema,
    tenant,
    column,
    added: `${name} ${tenant.key.type}${nativeText}${column === name ? '' : ` @map(${JSON.stringify(column)})`}`,
    placeOf: (model) =>
      tenants.has(model) ? 'tenant' : model === tenant.model || referring.has(model) ? 'reference' : 'local',
    tenantField: (model) => own.get(model),
    tenantName: (model) => own.get(model)?.name ?? name,
  }
}

export function textOf({ file }: ScaleModel, { start, end }: { start: number; end: number }): string {
  return file.text.slice(start, end)
}

/** Every row of them belongs to one tenant. */
function tenantModels({ models, foreignKeys }: ScaleSchema, tenant: Tenant): Set<ScaleModel> {
  const tenants = new Set<ScaleModel>()
  const spread = () => {
    for (let before = -1; before < tenants.size;) {
      before = tenants.size
      for (const { model, target, isRequired, references } of foreignKeys) {
        if (!isRequired || model === tenant.model) continue
        const isDirect = target === tenant.model && references[0] === tenant.key.name
        if (isDirect || tenants.has(target)) tenants.add(model)
      }
    }
  }
  spread()
  // A model that need not belong to a tenant is shared when tenants' rows refer to it, as people are who have chosen one.
  for (const model of models.values()) {
    const isDirect = model.foreignKeys.some(({ target }) => target === tenant.model)
    const isReferred = foreignKeys.some(
      (key) => key.target === model && key.model !== model && tenants.has(key.model),
    )
    if (isDirect && !isReferred && model !== tenant.model) tenants.add(model)
  }
  spread()
  return tenants
}

/** The field of the relation to the tenant; a required one before others. */
function relationField(model: ScaleModel, tenant: Tenant): Field | undefined {
  const direct = model.foreignKeys
    .filter(
      ({ target, fields, references }) =>
        target === tenant.model && fields.length === 1 && references[0] === tenant.key.name,
    )
    .toSorted((a, b) => Number(b.isRequired) - Number(a.isRequired))
  return model.fields.get(direct[0]?.fields[0] ?? '')
}

/** The field of each model that holds the tenant, where one does. */
function tenantFields(models: ScaleModel[], tenant: Tenant): Map<ScaleModel, Field> {
  const own = new Map<ScaleModel, Field>()
  for (const model of models) {
    const field = relationField(model, tenant)
    if (field) own.set(model, field)
  }
  // What a relation holds against another table's tenant is the tenant, whatever else the model names.
  const composed = new Set<ScaleModel>()
  for (let before = -1; before < composed.size;) {
    before = composed.size
    for (const model of models) {
      if (composed.has(model)) continue
      const name = model.foreignKeys
        .filter(({ fields }) => fields.length > 1)
        .flatMap(
          ({ fields, references, target }) => fields[references.indexOf(own.get(target)?.name ?? '')] ?? [],
        )[0]
      const field = model.fields.get(name ?? '')
      if (!field) continue
      own.set(model, field)
      composed.add(model)
    }
  }
  return own
}

/** The name that most have already, unless it means something else in a model that needs it. */
function commonName(
  models: ScaleModel[],
  own: ReadonlyMap<ScaleModel, Field>,
  tenant: Tenant,
): { column: string; name: string } {
  const camel = tenant.model.name.charAt(0).toLowerCase() + tenant.model.name.slice(1)
  const plain = `${camel}${tenant.key.name.charAt(0).toUpperCase()}${tenant.key.name.slice(1)}`
  const counts = new Map<string, { column: string; name: string; count: number }>()
  for (const field of own.values()) {
    const known = counts.get(columnOf(field)) ?? { column: columnOf(field), name: field.name, count: 0 }
    counts.set(known.column, { ...known, count: known.count + 1 })
  }
  const used = [...counts.values()].toSorted((a, b) => b.count - a.count)
  const isFree = ({ column, name }: { column: string; name: string }) =>
    models.every((model) =>
      [...model.fields.values()].every(
        (field) =>
          field === own.get(model) || (columnOf(field) !== column && (own.has(model) || field.name !== name)),
      ),
    )
  const choices = [...used, { column: plain, name: plain }, { column: 'tenant_id', name: 'tenantId' }]
  return choices.find(isFree) ?? { column: 'spread_tenant_id', name: 'spreadTenantId' }
}
