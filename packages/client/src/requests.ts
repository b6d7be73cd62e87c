import type { Provider, TransactionScope } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { Place } from './follower.ts'
import type { OpenedClient } from './opened-client.ts'
import { replaceExecute, withExtensionsOf, type Request } from './prisma-internals.ts'
import { writtenFor } from './provider-arguments.ts'
import type { Batches, Route } from './transactions.ts'

/**
 * Sends every operation of a client to where the rows are. One that meets the moved tables has done nothing, and is sent
 * again: the client sends writes of several statements in a transaction, so that the first one decides.
 */
export function followRequests(
  opened: OpenedClient,
  scope: TransactionScope,
  batches: Batches,
  route: Route & { readonly isActive: boolean },
): void {
  const { provider, client } = opened
  const { execute } = opened
  // Most applications do not graduate today: what they ask is not looked through.
  const sendHere = (self: unknown, request: Request) =>
    execute.call(self, route.isActive ? own(request, provider) : request)
  const sendAway = async (place: Place, self: unknown, request: Request): Promise<unknown> => {
    const on = withExtensionsOf(self as object, place.opened.client)
    return place.opened.execute.call(on, own(translated(request, place.provider), place.provider))
  }
  const sendTo = (place: Place, self: unknown, request: Request): Promise<unknown> =>
    place.provider === provider ? sendHere(self, request) : sendAway(place, self, request)
  const sendFollowing = async (self: unknown, request: Request, first: Place, failed: unknown) => {
    let [place, error] = [first, failed]
    while (await route.hasMoved(place, error)) {
      place = route.here()
      try {
        return await sendTo(place, self, request)
      } catch (again) {
        error = again
      }
    }
    throw error
  }
  replaceExecute(client, function send(this: unknown, request) {
    const { transaction } = request
    if (transaction?.kind === 'itx') return sendHere(this, request)
    if (transaction) return sendTo(batches.placeOf(transaction.lock) ?? route.here(), this, request)
    const place = route.here()
    const sent = sendTo(place, this, request)
    const { operation } = scope
    if (!operation) return sent.catch((error: unknown) => sendFollowing(this, request, place, error))
    return sent.then((result) => {
      operation.answered++
      return result
    })
  })
}

/** With its filters as its database writes them. */
function own(request: Request, provider: Provider): Request {
  if (request.model === undefined) return request
  const args = writtenFor(provider, request.args)
  return args === request.args ? request : { ...request, args }
}

/** What was made for one database, as the other one takes it. */
function translated(request: Request, provider: Provider): Request {
  if (request.model !== undefined) return withoutForeign(request, provider)
  const { args } = request
  if (Array.isArray(args)) {
    if (args.length <= 1) return request
    throw otherDialect(request, provider)
  }
  const { sql, text, values } = args as { sql?: string; text?: string; values?: unknown[] }
  if (sql === undefined || text === undefined) throw otherDialect(request, provider)
  const statement = provider === 'postgres' ? text : sql
  return { ...request, args: { sql: statement, text: statement, values } }
}

/** @throws Failure OUTGROW_OTHER_DIALECT where SQLite does not know an option */
function withoutForeign(request: Request, provider: Provider): Request {
  if (provider === 'sqlite' && (request.args as { skipDuplicates?: boolean } | undefined)?.skipDuplicates)
    throw otherDialect(request, provider)
  return request
}

function otherDialect({ clientMethod }: Request, provider: Provider): Failure {
  return new Failure({
    code: 'OUTGROW_OTHER_DIALECT',
    message: `The application moved to ${provider} while ${clientMethod} was waiting, and what it asks is written for the other database. Nothing of it ran.`,
    why: 'Only the code that made it can make it for this database.',
    fix: 'Make it inside database.perProvider, or run it again: withRetry does.',
  })
}
