import {
  billingBlocks,
  fragmentMarks,
  fragmentNames,
  inboxBlocks,
  inboxNames,
  type FragmentName,
} from '@outgrow/billing/models'
import { Failure } from '@outgrow/kit'
import {
  addToSchema,
  indexSchema,
  parsePrismaFile,
  readDmmf,
  type AddedMembers,
  type AddedSchema,
  type Dmmf,
  type SchemaSource,
} from '@outgrow/schema'
import { fragmentNamesIn, timeType, type Named } from './fragment-names.ts'
import { missingMembers } from './missing-members.ts'

export interface FragmentRequest {
  source: SchemaSource
  /** The model that stands for whoever pays; undefined: only the inbox, which refers to nobody. */
  account: string | undefined
  /** Put before names that are taken. */
  prefix: string
  /** What a database calls its own, in small letters. */
  taken?: ReadonlySet<string>
  /** The schema of Postgres that they belong in; by default the account's. Only where the datasource names its schemas. */
  within?: string | undefined
}

export interface PlannedFragment {
  /** Undefined where the schema has it all. */
  added: AddedSchema | undefined
  /** What each is called. */
  names: Partial<Record<FragmentName, Named>> & Record<'WebhookEvent', Named>
  /** Whether the schema has more than the inbox, or gets it. */
  isWhole: boolean
}

/**
 * Adds billing's models to a schema in memory, and holds the result against Prisma. Nothing is written.
 * @throws Failure OUTGROW_BILLING_ACCOUNT, OUTGROW_BILLING_NAMES, OUTGROW_SCHEMA_INVALID, OUTGROW_SCHEMA_PROVIDER
 */
export function planFragment({ source, account, prefix, taken, within }: FragmentRequest): PlannedFragment {
  const dmmf = readDmmf(source.files)
  const index = indexSchema(source)
  const time = timeType(index)
  const schema = schemaOf(dmmf, account, within)
  const asked = account === undefined ? inboxNames : fragmentNames
  const names = fragmentNamesIn<FragmentName>(dmmf, prefix, asked, taken)
  const isCustomer = (fields: { name: string }[]) =>
    fragmentMarks.BillingCustomer.every((mark) => fields.some(({ name }) => name === mark))
  const isWhole = account !== undefined || dmmf.datamodel.models.some(({ fields }) => isCustomer(fields))
  const missing = asked.filter((name) => !names[name].isThere)
  if (account === undefined && names.WebhookEvent.isThere) return { added: undefined, names, isWhole }
  const lines: string[] = []
  const members: AddedMembers[] = []
  let blocks: Partial<Record<FragmentName, string>>
  if (account === undefined) blocks = inboxBlocks({ names, time, schema })
  else {
    blocks = billingBlocks({ names, account: accountOf(dmmf, account, index.datasource), time, schema })
    const back = backRelations(dmmf, account, prefix)
    if (!names.BillingCustomer.isThere) lines.push(`${back.customer} ${names.BillingCustomer.name}?`)
    if (!names.Entitlement.isThere) lines.push(`${back.entitlements} ${names.Entitlement.name}[]`)
    if (lines.length > 0) members.push({ block: account, lines })
    members.push(...lacking(index, blocks, account))
  }
  if (missing.length + members.length === 0) return { added: undefined, names, isWhole }
  const added = addToSchema(source, {
    text: missing.map((name) => blocks[name]).join('\n\n'),
    file: 'billing.prisma',
    members,
  })
  readDmmf(added.source.files) // which Prisma has to accept
  return { added, names, isWhole }
}

/** Undefined where the datasource names none. */
function schemaOf(
  { datamodel: { models } }: Dmmf,
  account: string | undefined,
  within: string | undefined,
): string | undefined {
  if (models.every(({ schema }) => schema === null)) return undefined
  return within ?? models.find(({ name }) => name === account)?.schema ?? undefined
}

/** What an earlier version made may lack members by now. */
function lacking(
  there: ReturnType<typeof indexSchema>,
  blocks: Partial<Record<FragmentName, string>>,
  account: string,
): AddedMembers[] {
  const own = parsePrismaFile('billing.prisma', Object.values(blocks).join('\n\n'))
  const models = new Set(own.blocks.filter(({ kind }) => kind === 'model').map(({ name }) => name))
  const isModel = (type: string) => models.has(type) || type === account
  return own.blocks.flatMap((block) => {
    const found = (block.kind === 'enum' ? there.enums : there.models).get(block.name)
    const lines = found ? missingMembers({ text: own.text, block, isModel }, found) : []
    return lines.length > 0 ? [{ block: block.name, lines }] : []
  })
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
