import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'

/**
 * The fields of a form. NUL goes: no text of ours holds one, and Postgres takes none. Lines end as browsers count them,
 * with one character.
 * @throws HTTPException 400 when it is no form
 */
export async function formOf(context: Context): Promise<Record<string, string | File | undefined>> {
  const form = await context.req.parseBody<Record<string, string | File>>().catch((cause: unknown) => {
    throw new HTTPException(400, { message: 'The form could not be read.', cause })
  })
  return Object.fromEntries(
    Object.entries(form).map(([name, value]) => [
      name,
      typeof value === 'string' ? value.replaceAll('\0', '').replaceAll('\r\n', '\n') : value,
    ]),
  )
}
