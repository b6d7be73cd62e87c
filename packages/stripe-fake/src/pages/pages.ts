import type { Hono } from 'hono'
import { ApiError } from '../api/errors.ts'
import type { StripeState } from '../state.ts'
import { checkoutPages } from './checkout.ts'
import { clockPages } from './clock.ts'
import { invoicePages } from './invoice.ts'
import { portalPages } from './portal.ts'

/** The pages that a person sees. */
export function pageRoutes(fake: StripeState, app: Hono): void {
  for (const add of [checkoutPages, portalPages, invoicePages, clockPages]) add(fake, app)
}

/** Another site's page cannot press buttons here, nor move the clock. Who is no browser says nothing of sites. */
export function refuseOtherSites(app: Hono): void {
  app.use(async (context, next) => {
    const site = context.req.header('sec-fetch-site') ?? 'none'
    if (context.req.method !== 'GET' && site !== 'none' && site !== 'same-origin')
      throw new ApiError(403, 'Only this stand-in’s own pages may do that.')
    await next()
  })
}
