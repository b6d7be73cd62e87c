import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { WebEnvironment } from './services.ts'
import type { Visitor } from './services.ts'

/** Who is signed in; anybody else is sent to sign in first, and back afterwards. */
export function requireVisitor(context: Context<WebEnvironment>): Visitor {
  const visitor = context.get('visitor')
  if (visitor) return visitor
  const back = context.req.method === 'GET' ? context.req.path : '/'
  throw new HTTPException(303, {
    res: new Response(null, {
      status: 303,
      headers: { location: `/sign-in?to=${encodeURIComponent(back)}` },
    }),
  })
}

/** A path of this application to go to, whatever was asked for: never another site. */
export function localPath(path: string | undefined): string {
  return path !== undefined && /^\/(?![/\\])[\w\-./?=&%+]*$/.test(path) ? path : '/'
}
