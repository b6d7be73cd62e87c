import type { Context } from 'hono'

/** The fields of a form. NUL goes: no text of ours holds one, and Postgres takes none. */
export async function formOf(context: Context): Promise<Record<string, string | File | undefined>> {
  const form = await context.req.parseBody<Record<string, string | File>>()
  return Object.fromEntries(
    Object.entries(form).map(([name, value]) => [
      name,
      typeof value === 'string' ? value.replaceAll('\0', '') : value,
    ]),
  )
}
