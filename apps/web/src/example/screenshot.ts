import type { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Services, WebEnvironment } from '../services.ts'

/** A picture that somebody uploaded: shown as what it was found to be, and never as a page. */
export function screenshotRoute(app: Hono<WebEnvironment>, { database: { client } }: Services): void {
  app.get('/screenshots/:id', async (context) => {
    const id = Number(context.req.param('id'))
    const shot =
      Number.isInteger(id) && id > 0 && id < 2 ** 31
        ? await client.screenshot.findUnique({ where: { id } })
        : null
    if (!shot) throw new HTTPException(404, { message: 'There is no such picture.' })
    return context.body(new Uint8Array(shot.image), 200, {
      'content-type': shot.mediaType,
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    })
  })
}
