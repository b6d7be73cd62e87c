import type { Field } from '@outgrow/schema'
import { Failure } from '@outgrow/kit'
import { idFieldOf, relatedModels, type ScaleModel, type ScaleSchema } from './scale-schema.ts'

/** The model whose rows are the tenants. */
export interface Tenant {
  model: ScaleModel
  /** The key that other models name it by. */
  key: Field
  /** Why it was taken, in words. */
  why: string
}

interface Candidate {
  model: ScaleModel
  key: Field
  /** Models whose every row belongs to one of it, through whatever relations. */
  owned: Set<ScaleModel>
  /** How many models name it in a relation. */
  direct: number
}

/**
 * The tenant's model: the named one, else the one to which the most models belong.
 * @param named `Organization`, or `Organization.id`
 * @throws Failure OUTGROW_TENANT_UNKNOWN, OUTGROW_TENANT_UNCLEAR
 */
export function findTenant(schema: ScaleSchema, named: string | undefined): Tenant {
  return named === undefined ? guessTenant(schema) : namedTenant(schema, named)
}

function namedTenant(schema: ScaleSchema, named: string): Tenant {
  const [name = '', fieldName] = named.split('.')
  const model = schema.models.get(name)
  const field = model && (fieldName === undefined ? idFieldOf(model) : model.fields.get(fieldName))
  const isKey = field && model.keys.some(({ fields }) => fields.length === 1 && fields[0] === field.name)
  if (isKey) return { model, key: field, why: 'It was named with --tenant.' }
  throw new Failure({
    code: 'OUTGROW_TENANT_UNKNOWN',
    message: model
      ? `${named} is not a single field that is the model’s id, or unique.`
      : `The schema has no model ${name}.`,
    why: 'The rows of all tenants’ tables are spread by this key.',
    fix: `Name a model such as ${candidatesOf(schema).at(0)?.model.name ?? 'Organization'}, and the field where it is not the id.`,
  })
}

function guessTenant(schema: ScaleSchema): Tenant {
  const candidates = candidatesOf(schema)
  const others = relatedModels(schema).size - 1
  const owningMany = candidates.filter(({ owned }) => owned.size * 2 >= others)
  let [best] = owningMany
  if (!best) throw unclear(schema, candidates, 'Most of the models belong to none of the others.')
  // What stands above the tenant, such as a plan or a country, owns it and through it all the rest: few name it directly.
  for (let above = best; ;) {
    const below: Candidate | undefined = owningMany
      .filter(({ model, direct }) => above.owned.has(model) && direct > above.direct)
      .toSorted((a, b) => b.direct - a.direct)[0]
    if (!below) break
    best = above = below
  }
  const { model, key, owned, direct } = best
  const isBeside = (other: Candidate) => !owned.has(other.model) && !other.owned.has(model)
  const rival = candidates.find((other) => other.model !== model && isBeside(other))
  if (rival && rival.owned.size === owned.size)
    throw unclear(schema, candidates, `As many models belong to ${rival.model.name} as to ${model.name}.`)
  return {
    model,
    key,
    why: `Of the ${others} other models with relations, ${owned.size} belong to it through required relations, ${direct} name it directly${rival ? `; to ${rival.model.name} belong ${rival.owned.size}` : ''}.`,
  }
}

function unclear(schema: ScaleSchema, candidates: Candidate[], why: string): Failure {
  const listed = candidates
    .slice(0, 5)
    .map(({ model, owned }) => `${model.name} (${owned.size})`)
    .join(', ')
  return new Failure({
    code: 'OUTGROW_TENANT_UNCLEAR',
    message: `Which model is the tenant cannot be told from the relations of these ${schema.models.size} models.`,
    why: listed === '' ? 'No model belongs to another.' : `${why} Models that belong to each: ${listed}.`,
    fix: 'Name it: --tenant Organization. Where there is no tenant, there is nothing to spread the rows by.',
  })
}

/** By how many models belong to each, most first. */
function candidatesOf(schema: ScaleSchema): Candidate[] {
  const candidates: Candidate[] = []
  for (const model of schema.models.values()) {
    const key = idFieldOf(model)
    const owned = key ? ownedBy(schema, model) : new Set<ScaleModel>()
    const naming = schema.foreignKeys.filter((one) => one.target === model && one.model !== model)
    const direct = new Set(naming.map((one) => one.model)).size
    if (key && owned.size > 0) candidates.push({ model, key, owned, direct })
  }
  return candidates.toSorted((a, b) => b.owned.size - a.owned.size || (a.model.name < b.model.name ? -1 : 1))
}

function ownedBy({ foreignKeys }: ScaleSchema, owner: ScaleModel): Set<ScaleModel> {
  const owned = new Set<ScaleModel>()
  for (let before = -1; before < owned.size;) {
    before = owned.size
    for (const { model, target, isRequired } of foreignKeys)
      if (isRequired && model !== owner && (target === owner || owned.has(target))) owned.add(model)
  }
  return owned
}
