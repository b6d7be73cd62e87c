import type { Rule } from '../rule.ts'
import { tenantColumn } from './01-tenant-column.ts'
import { keys } from './02-keys.ts'
import { relations } from './03-relations.ts'
import { actions } from './04-actions.ts'
import { shared } from './05-shared.ts'
import { tenantStays } from './06-tenant-stays.ts'
import { triggers } from './07-triggers.ts'
import { locks } from './08-locks.ts'
import { tenantType } from './09-tenant-type.ts'
import { order } from './10-order.ts'
import { uniqueness } from './11-uniqueness.ts'
import { ids } from './12-ids.ts'

/** What a schema must promise to be spread by row. Source: Citus' documentation, and trials on a cluster. */
export const rules: readonly Rule[] = [
  tenantColumn,
  keys,
  relations,
  actions,
  shared,
  tenantStays,
  triggers,
  locks,
  tenantType,
  order,
  uniqueness,
  ids,
]
