import type { ScratchOptions } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { fragmentNames, type FragmentName } from '@outgrow/billing/models'
import {
  planMigrations,
  writeAdded,
  writeGenerated,
  writeMigrations,
  type AddedSchema,
  type PlannedMigrations,
} from '@outgrow/schema'
import { planFragment, type FragmentRequest } from './plan-fragment.ts'

export interface PlannedInit extends PlannedMigrations {
  added: AddedSchema
  /** What each is called in the project. */
  names: Record<FragmentName, string>
}

/**
 * Plans billing's models as one fragment of a project's schema, with a migration for each provider. Everything is
 * proved in memory and on empty databases: nothing is written.
 * @throws Failure OUTGROW_BILLING_ACCOUNT, OUTGROW_BILLING_NAMES, OUTGROW_MIGRATION_PENDING, and what the schema's own checks throw
 */
export async function planInit(
  request: FragmentRequest & { account: string },
  scratch: ScratchOptions,
): Promise<PlannedInit> {
  const { added, names } = planFragment(request)
  if (added === undefined) {
    throw new Failure({
      code: 'OUTGROW_BILLING_THERE',
      message: 'The schema has billing’s models already.',
      fix: 'Nothing is to be done. Apply their migrations with outgrow schema deploy.',
    })
  }
  const planned = await planMigrations(added.source, 'billing', scratch, request.source)
  return {
    added,
    ...planned,
    names: Object.fromEntries(
      fragmentNames.map((name) => [name, names[name]?.name ?? name]),
    ) as PlannedInit['names'],
  }
}

export function writeInit({ added, generated, authored }: PlannedInit): void {
  writeMigrations(generated, authored)
  writeGenerated(generated)
  writeAdded(added) // last: a run that was cut off before is planned anew
}
