import { createHash, timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import type { Services } from './services.ts'

const cookieName = 'outgrow_console'

/**
 * Lets nobody in without the token: it is given once, in the address, and kept as a cookie that no script reads. The
 * Host header must be a known one, so that no other site can reach the console through a name of its own.
 */
export function guard({ token, hosts }: Services): MiddlewareHandler {
  const proof = createHash('sha256').update(`console:${token}`).digest('base64url')
  return async (context, next) => {
    const host = (context.req.header('host') ?? '').replace(/:\d+$/, '').toLowerCase()
    if (!hosts.has(host))
      return context.text('The console does not accept this host name. Add it to CONSOLE_HOSTS.\n', 421)
    const given = context.req.query('token')
    if (given !== undefined && context.req.method === 'GET') {
      if (!isSame(given, token)) return context.text('The token is wrong.\n', 401)
      setCookie(context, cookieName, proof, { httpOnly: true, sameSite: 'Strict', path: '/' })
      return context.redirect(context.req.path, 303)
    }
    if (!isSame(getCookie(context, cookieName) ?? '', proof))
      return context.text(
        'Open the address that the console printed when it started: it contains the token.\n',
        401,
      )
    return next()
  }
}

function isSame(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(a), hash(b))
}
