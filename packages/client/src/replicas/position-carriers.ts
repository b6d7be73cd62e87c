import type { Database } from '../database.ts'
import { longestLagMs } from './replica-options.ts'

const cookieName = 'outgrow_position'

/** The header that carries a position from one service to another. */
export const positionHeader = 'x-outgrow-position'

/** A replica that is further behind than this is not read from. */
const cookieSeconds = longestLagMs / 1000

/** Makes whoever reads it ask the primary. */
const unknownPosition = 'unknown'

/** The position that a request carries, in the header or else in the cookie; it may be anything, and is not trusted. */
export function readPosition(headers: Pick<Headers, 'get'>): string | undefined {
  const own = headers.get(positionHeader)
  if (own !== null) return own
  for (const pair of headers.get('cookie')?.split(';') ?? []) {
    const [name, value] = pair.split('=', 2)
    if (name?.trim() === cookieName && value !== undefined) return value.trim()
  }
  return undefined
}

/** A `Set-Cookie` header's value. */
export function positionCookie(position: string): string {
  return `${cookieName}=${position}; Path=/; Max-Age=${cookieSeconds}; HttpOnly; SameSite=Lax`
}

/**
 * Answers a request so that the same browser reads its own writes on replicas, whichever process answers it next: reads
 * see what the cookie or the header stands for, and the response carries what was written.
 */
export async function answerInOrder(
  database: Pick<Database, 'after' | 'position'>,
  headers: Pick<Headers, 'get'>,
  answer: () => Promise<Response>,
): Promise<Response> {
  const before = readPosition(headers)
  return database.after(before, async () => {
    const response = await answer()
    const position = await database.position().catch(() => unknownPosition)
    if (position === undefined || position === before) return response
    const changed = new Response(response.body, response)
    changed.headers.append('set-cookie', positionCookie(position))
    return changed
  })
}
