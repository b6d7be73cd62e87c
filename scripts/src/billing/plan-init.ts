import type { ScratchOptions } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { billingBlocks, fragmentNames, type FragmentName } from '@outgrow/billing/models'
import {
  addToSchema,
  indexSchema,
  planMigrations,
  readDmmf,
  writeAdded,
  writeGenerated,
  writeMigrations,
  type AddedSchema,
  type Dmmf,
  type PlannedMigrations,
  type SchemaSource,
} from '@outgrow/schema'
import { fragmentNamesIn, timeType } from './fragment-names.ts'

export interface InitRequest {
  source: SchemaSource
  /** The model that stands for whoever pays. */
  account: string
  /** Put before names that are taken. */
  prefix: string
}

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
export async function planInit(request: InitRequest, scratch: ScratchOptions): Promise<PlannedInit> {
  const { source, account, prefix } = request
  const dmmf = readDmmf(source.files)
  const index = indexSchema(source)
  const owner = accountOf(dmmf, account, index.datasource)
  const names = fragmentNamesIn(dmmf, prefix, fragmentNames)
  const blocks = billingBlocks({
    names,
    account: owner,
    time: timeType(index),
  })
  const missing = fragmentNames.filter((name) => !names[name].isThere)
  if (missing.length === 0) {
    throw new Failure({
      code: 'OUTGROW_BILLING_THERE',
      message: 'The schema has billing’s models already.',
      fix: 'Nothing is to be done. Apply their migrations with outgrow schema deploy.',
    })
  }
  const back = backRelations(dmmf, account, prefix)
  const lines = [
    ...(names.BillingCustomer.isThere ? [] : [`${back.customer} ${names.BillingCustomer.name}?`]),
    ...(names.Entitlement.isThere ? [] : [`${back.entitlements} ${names.Entitlement.name}[]`]),
  ]
  const added = addToSchema(source, {
    text: missing.map((name) => blocks[name]).join('\n\n'),
    file: 'billing.prisma',
    members: lines.length === 0 ? [] : [{ model: account, lines }],
  })
  const planned = await planMigrations(added.source, 'billing', scratch, source)
  return {
    added,
    ...planned,
    names: Object.fromEntries(fragmentNames.map((name) => [name, names[name].name])) as PlannedInit['names'],
  }
}

export function writeInit({ added, generated, authored }: PlannedInit): void {
  writeMigrations(generated, authored)
  writeGenerated(generated)
  writeAdded(added) // last: a run that was cut off before is planned anew
}

function accountOf(
  dmmf: Dmmf,
  name: string,
  datasource: string,
): { model: string; key: string; type: string } {
  const model = dmmf.datamodel.models.find((one) => one.name === name)
  const key = model?.fields.find(({ isId }) => isId)
  if (model && key && ['String', 'Int', 'BigInt'].includes(key.type)) {
    const [native, args] = key.nativeType ?? []
    const written =
      native === undefined ? '' : ` @${datasource}.${native}${args?.length ? `(${args.join(', ')})` : ''}`
    return { model: name, key: key.name, type: `${key.type}${written}` }
  }
  const candidates = dmmf.datamodel.models.filter(({ fields }) => fields.some(({ isId }) => isId))
  throw new Failure({
    code: 'OUTGROW_BILLING_ACCOUNT',
    message: `${name} is no model with one key that is a text or a whole number.`,
    fix: `Name the model of whoever pays with --account: ${candidates.map((one) => one.name).join(', ')}.`,
  })
}

function backRelations(
  dmmf: Dmmf,
  account: string,
  prefix: string,
): { customer: string; entitlements: string } {
  const taken = new Set(
    dmmf.datamodel.models.find(({ name }) => name === account)?.fields.map(({ name }) => name),
  )
  const free = (name: string) =>
    taken.has(name)
      ? `${prefix.charAt(0).toLowerCase()}${prefix.slice(1)}${name.charAt(0).toUpperCase()}${name.slice(1)}`
      : name
  return { customer: free('customer'), entitlements: free('entitlements') }
}
