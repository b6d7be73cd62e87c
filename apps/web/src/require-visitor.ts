import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { WebEnvironment } from './services.ts'
import type { Visitor } from './services.ts'

/** Who is signed in; anybody else is sent to sign in first, and back afterwards. */
export function requireVisitor(context: Context<WebEnvironment>): Visitor {
  const visitor = context.get('visitor')
  if (visitor) return visitor
  // With its query: whoever comes back from paying, signed out meanwhile, has the payment's number in it.
  const { pathname, search } = new URL(context.req.url)
  const paths = context.req.method === 'GET' ? [pathname + search, pathname] : []
  const back = paths.find((path) => localPath(path) === path) ?? '/'
  throw new HTTPException(303, {
    res: new Response(null, {
      status: 303,
      headers: { location: `/sign-in?to=${encodeURIComponent(back)}` },
    }),
  })
}

/** Who may spend the account's money, and see what it is spent on: everybody but plain members. */
export function requirePayer(context: Context<WebEnvironment>): Visitor {
  const visitor = requireVisitor(context)
  if (visitor.mayPay) return visitor
  throw new HTTPException(403, { message: 'Only an owner or an admin of your account can do that.' })
}

/** A path of this application to go to, whatever was asked for: never another site. */
export function localPath(path: string | undefined): string {
  return path !== undefined && /^\/(?![/\\])[\w\-./?=&%+]*$/.test(path) ? path : '/'
}
