import { Failure } from '@outgrow/kit'
import type { TransactionScope } from '@outgrow/databases'

/** The parts of Prisma's client that are its own affair, and that the facade rests on all the same. */
interface Internals {
  _clientVersion?: string
  /** Every operation but raw SQL in a batch goes through it. */
  _request(this: unknown, params: { transaction?: { kind: string } }): unknown
  /** The datamodel with the database's names. */
  _runtimeDataModel: { models: Record<string, RuntimeModel> }
}

interface RuntimeModel {
  dbName: string | null
  schema?: string | null
  fields: { name: string; type: string; dbName?: string }[]
}

const expected = '6.16 to 7'

/**
 * Looks whether a client has what the facade rests on.
 * @throws Failure OUTGROW_CLIENT_UNSUPPORTED
 */
export function assertInternals(client: object): void {
  const { _request, _runtimeDataModel, _clientVersion: version } = client as Partial<Internals>
  if (typeof _request === 'function' && typeof _runtimeDataModel?.models === 'object') return
  throw new Failure({
    code: 'OUTGROW_CLIENT_UNSUPPORTED',
    message: `This Prisma Client (${version ?? 'of an unknown version'}) does not have the parts that its guarantees are built on.`,
    why: `The facade was written for Prisma ${expected}, with engineType = "client" where version 6 needs it.`,
    fix: 'Generate the client with one of these versions.',
  })
}

/**
 * Refuses what the root client is asked inside its own transaction callback. It must be judged here, where the caller asks:
 * Prisma gathers the `findUnique`s of one turn and sends them together, in the name of whoever asked first.
 */
export function guardRequests(client: object, scope: TransactionScope): void {
  const request = (client as Internals)._request
  const _request: Internals['_request'] = function guarded(params) {
    if (params.transaction?.kind !== 'itx') scope.refuseInside()
    return request.call(this, params)
  }
  Object.defineProperty(client, '_request', { value: _request })
}

/** Where a model is stored. */
export interface StoredModel {
  /** The database's names, without quotes; a schema where the datamodel names one. */
  schema: string | undefined
  table: string
  /** By the field's name: its column, and its type in Prisma. */
  fields: ReadonlyMap<string, { column: string; type: string }>
}

/**
 * The database's names of a model, for raw SQL; undefined when the client has no such model.
 * @param model its name in the client: `billingCustomer`
 */
export function storedModel(client: object, model: string): StoredModel | undefined {
  const { models } = (client as Internals)._runtimeDataModel
  const name = Object.keys(models).find((one) => one.charAt(0).toLowerCase() + one.slice(1) === model)
  const found = name === undefined ? undefined : models[name]
  if (name === undefined || !found) return undefined
  return {
    schema: found.schema ?? undefined,
    table: found.dbName ?? name,
    fields: new Map(
      found.fields.map((field) => [field.name, { column: field.dbName ?? field.name, type: field.type }]),
    ),
  }
}

/** The same, of a model that the caller's types have. */
export function knownModel(client: object, model: string): StoredModel & { columnOf(field: string): string } {
  const found = storedModel(client, model)
  if (!found) throw new Error(`the client has no model ${model}`)
  return { ...found, columnOf: (field) => found.fields.get(field)?.column ?? field }
}
