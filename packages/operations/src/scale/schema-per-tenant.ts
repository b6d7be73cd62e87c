import type { SchemaSource } from '@outgrow/schema'
import type { Placement } from './placement.ts'

/** Whether a Postgres schema for each tenant, spread by Citus as it is, takes the project's schema. */
export interface SchemaPerTenant {
  /** `shared`: it does, and some tables hold what tenants share today. */
  serves: 'unchanged' | 'shared' | 'no'
  reasons: string[]
}

/** Source: `citus.enable_schema_based_sharding`, which spreads whole schemas and asks nothing of the tables in them. */
export function schemaPerTenant(placement: Placement, source: SchemaSource): SchemaPerTenant {
  const named = [...placement.schema.models.values()].filter(({ schema }) => schema !== undefined)
  if (named.length > 0)
    return {
      serves: 'no',
      reasons: [
        `${named.map(({ name }) => name).join(', ')} name a schema with @@schema, and each tenant’s tables would need another.`,
      ],
    }
  const shared = [...placement.schema.models.values()].filter(
    (model) => placement.placeOf(model) !== 'tenant' && model !== placement.tenant.model,
  )
  const qualified = source.files.some(([, text]) => /dbgenerated\("[^"]*\bpublic\./.test(text))
  const reasons = [
    ...(qualified ? ['A default names the schema public: write the function without it.'] : []),
    ...(shared.length === 0
      ? []
      : [
          `Tenants share ${shared.map(({ name }) => name).join(', ')}: each schema would have its own. Rows that several tenants need, such as people who belong to more than one, stay in a database of their own, or are repeated.`,
        ]),
  ]
  return {
    serves: qualified ? 'no' : shared.length > 0 ? 'shared' : 'unchanged',
    reasons: [
      ...reasons,
      'Each schema needs its migrations, and a connection of its own (?schema=…): good for hundreds of tenants, not for tens of thousands.',
    ],
  }
}
