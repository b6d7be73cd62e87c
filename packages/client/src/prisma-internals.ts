import { Failure } from '@outgrow/kit'
import {
  countError,
  countTime,
  quoteIdentifier,
  type DatabaseCounters,
  type TransactionScope,
} from '@outgrow/databases'

/** The parts of Prisma's client that are its own affair, and that the facade rests on all the same. */
interface Internals {
  _clientVersion?: string
  /** Every operation goes through it when it is asked. */
  _request(this: unknown, params: { transaction?: { kind: string; lock?: object } }): unknown
  /** Every operation goes through it when extensions have had their say. */
  _executeRequest: Execute
  /** What `$extends` has added to the client. */
  _extensions: object
  /** The client without extensions and without what makes models of its names. */
  _originalClient: object
  /** The client that was extended. */
  _appliedParent: object
  /** The datamodel with the database's names. */
  _runtimeDataModel: { models: Record<string, RuntimeModel> }
}

interface RuntimeModel {
  dbName: string | null
  schema?: string | null
  fields: { name: string; type: string; dbName?: string }[]
}

/** An operation as the client sends it. */
export interface Request {
  model?: string
  /** `$queryRaw` and the like. */
  clientMethod: string
  /** `findMany`; of raw SQL `queryRaw` or `executeRaw`. */
  action: string
  args: unknown
  /** All operations of a batch share its `lock`. */
  transaction?: { kind: 'batch'; lock: object } | { kind: 'itx' }
}

export type Execute = (this: unknown, request: Request) => Promise<unknown>

const expected = '6.16 to 7'

/**
 * Looks whether a client has what the facade rests on.
 * @throws Failure OUTGROW_CLIENT_UNSUPPORTED
 */
export function assertInternals(client: object): void {
  const internals = client as Partial<Internals>
  const { _runtimeDataModel, _clientVersion: version } = internals
  if (
    typeof internals._request === 'function' &&
    typeof internals._executeRequest === 'function' &&
    typeof internals._extensions === 'object' &&
    typeof internals._originalClient === 'object' &&
    typeof _runtimeDataModel?.models === 'object'
  )
    return
  throw new Failure({
    code: 'OUTGROW_CLIENT_UNSUPPORTED',
    message: `This Prisma Client (${version ?? 'of an unknown version'}) does not have the parts that its guarantees are built on.`,
    why: `The facade was written for Prisma ${expected}, with engineType = "client" where version 6 needs it.`,
    fix: 'Generate the client with one of these versions.',
  })
}

/** The clients of Prisma 6 share one query compiler, which knows the first one's database only. */
export function isAloneInProcess(client: object): boolean {
  return Number.parseInt((client as Internals)._clientVersion ?? '', 10) < 7
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
  Object.defineProperty(client, '_request', { value: _request, configurable: true })
}

/** Counts how long each operation takes, and the codes of those that fail. */
export function countRequests(
  client: object,
  { operations, errorsByCode }: Pick<DatabaseCounters, 'operations' | 'errorsByCode'>,
): void {
  const request = (client as Internals)._request
  const _request: Internals['_request'] = async function counted(params) {
    const asked = performance.now()
    try {
      return await request.call(this, params)
    } catch (error) {
      countError(errorsByCode, error)
      throw error
    } finally {
      countTime(operations, performance.now() - asked)
    }
  }
  Object.defineProperty(client, '_request', { value: _request, configurable: true })
}

/** Sees every operation of a batch as it is asked, within the call of `$transaction`. */
export function watchBatches(client: object, onAsked: (batch: object) => void): void {
  const request = (client as Internals)._request
  const _request: Internals['_request'] = function watched(params) {
    const { kind, lock } = params.transaction ?? {}
    if (kind === 'batch' && lock) onAsked(lock)
    return request.call(this, params)
  }
  Object.defineProperty(client, '_request', { value: _request, configurable: true })
}

/** Makes a client load what compiles its queries, without a statement: raw SQL needs none of it. */
export async function loadCompiler(client: object): Promise<void> {
  const { models } = (client as Internals)._runtimeDataModel
  const [model = ''] = Object.keys(models)
  const delegate = Reflect.get(client, model.charAt(0).toLowerCase() + model.slice(1)) as {
    createMany?(args: { data: [] }): PromiseLike<unknown>
  }
  await delegate.createMany?.({ data: [] })
}

/** Adds a listener of a client's events. */
export function listen(client: object, args: [never, never]): void {
  ;(client as { $on(...args: [never, never]): unknown }).$on(...args)
}

/** What sends an operation. */
export function executeOf(client: object): Execute {
  return (client as Internals)._executeRequest
}

export function replaceExecute(client: object, send: Execute): void {
  Object.defineProperty(client, '_executeRequest', { value: send })
}

/**
 * Another database's client with the extensions that a client has: `$extends` does the same to its own.
 * @param extended a client, extended or not; or one in a transaction
 */
export function withExtensionsOf(extended: object, other: object): object {
  const { _extensions: extensions, _originalClient: original, _appliedParent: parent } = extended as Internals
  if (extensions === (original as Internals)._extensions) return other
  const known = counterparts.get(extensions) ?? new WeakMap<object, object>()
  counterparts.set(extensions, known)
  const made = known.get(other) ?? extend(extensions, parent, other)
  known.set(other, made)
  return made
}

/** By the extensions, and by the client that they were put on. */
const counterparts = new WeakMap<object, WeakMap<object, object>>()

function extend(extensions: object, parent: object, other: object): object {
  return Object.create((other as Internals)._originalClient, {
    _extensions: { value: extensions },
    _appliedParent: { value: withExtensionsOf(parent, other), configurable: true },
    $on: { value: undefined },
  }) as object
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

/** One of a client's tables, as SQL names it. */
export function anyTable(client: object, schema: string): string {
  const [[name, model] = []] = Object.entries((client as Internals)._runtimeDataModel.models)
  return `${quoteIdentifier(model?.schema ?? schema)}.${quoteIdentifier(model?.dbName ?? name ?? '')}`
}

/** The same, of a model that the caller's types have. */
export function knownModel(client: object, model: string): StoredModel & { columnOf(field: string): string } {
  const found = storedModel(client, model)
  if (!found) throw new Error(`the client has no model ${model}`)
  return { ...found, columnOf: (field) => found.fields.get(field)?.column ?? field }
}
