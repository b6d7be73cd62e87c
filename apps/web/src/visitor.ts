import { getConnInfo } from '@hono/node-server/conninfo'
import { lockForUpdate, Role, SubscriptionStatus, withRetry, type Database } from '@outgrow/db'
import type { Context, MiddlewareHandler } from 'hono'
import { addressHeader } from './auth.ts'
import { product } from './product.ts'
import type { Services, Visitor, WebEnvironment } from './services.ts'

/** Finds out who asks. Visitors without a cookie cost no query. */
export function identify(services: Services): MiddlewareHandler<WebEnvironment> {
  return async (context, next) => {
    context.set('visitor', undefined)
    if (context.req.header('cookie')?.includes(`${product.slug}.`) === true) {
      const { headers, response } = await services.auth.api.getSession({
        headers: authHeaders(context, services),
        returnHeaders: true,
      })
      if (response) context.set('visitor', await visitorOf(services.database, response.user))
      await next()
      // Nobody else's page: neither a proxy nor the way back after signing out may show it.
      if (response && !context.res.headers.has('cache-control'))
        context.header('cache-control', 'private, no-store')
      // A session in use is prolonged now and then, and its cookie with it; signing in or out has the last word.
      if (context.res.headers.getSetCookie().length > 0) return
      for (const cookie of headers.getSetCookie()) context.header('set-cookie', cookie, { append: true })
      return
    }
    await next()
  }
}

/** The request's headers for the auth library, with the visitor's address as it is known to be. */
export function authHeaders(context: Context, { addressHeader: proxyHeader, appUrl }: Services): Headers {
  const headers = new Headers({ origin: appUrl, [addressHeader]: addressOf(context, proxyHeader) })
  const cookie = context.req.header('cookie')
  const agent = context.req.header('user-agent')
  if (cookie !== undefined) headers.set('cookie', cookie)
  if (agent !== undefined) headers.set('user-agent', agent)
  return headers
}

function addressOf(context: Context, proxyHeader: string | undefined): string {
  // The proxy appends: what comes before its own entry, anybody may have written.
  const named = proxyHeader === undefined ? undefined : context.req.header(proxyHeader)?.split(',').at(-1)
  return named?.trim() ?? getConnInfo(context).remote.address ?? '0.0.0.0'
}

async function visitorOf(
  database: Database,
  user: { id: string; name: string; email: string },
): Promise<Visitor> {
  const { id, name, email } = user
  const membership = await database.client.membership.findFirst({
    where: { userId: id },
    orderBy: { joinedAt: 'asc' },
  })
  const { accountId, role } = membership ?? (await openAccount(database, user))
  const owed = await database.client.subscription.findFirst({
    where: {
      customer: { accountId },
      status: { in: [SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID] },
    },
    select: { id: true },
  })
  return { id, name, email, accountId, mayPay: role !== Role.MEMBER, owes: owed !== null }
}

/** An account of their own for whoever has none yet. Two requests at once make one. */
function openAccount(
  database: Database,
  { id, name }: { id: string; name: string },
): Promise<{ accountId: string; role: Role }> {
  return withRetry(() =>
    database.client.$transaction(async (tx) => {
      await lockForUpdate(database, tx, 'user', { id })
      const known = await tx.membership.findFirst({ where: { userId: id }, orderBy: { joinedAt: 'asc' } })
      if (known) return known
      const account = await tx.account.create({
        data: { name, slug: id, memberships: { create: { userId: id, role: Role.OWNER } } },
      })
      return { accountId: account.id, role: Role.OWNER }
    }),
  )
}
