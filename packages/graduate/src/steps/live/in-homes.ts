import type { FollowedTable } from '../../model/change.ts'
import { namesOfStaged, type Staging } from '../../model/staging.ts'

/** The tables in the schemas where the application finds them. */
export function inHomes(tables: FollowedTable[], staging: Staging): FollowedTable[] {
  const homes = namesOfStaged(staging)
  return tables.map((table) => {
    const { planned } = table
    const schema = homes[planned.target.schema] ?? planned.target.schema
    return { ...table, planned: { ...planned, target: { ...planned.target, schema } } }
  })
}
