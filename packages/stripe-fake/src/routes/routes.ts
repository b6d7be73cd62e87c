import { Hono } from 'hono'
import type { Api } from '../api/api.ts'
import { ApiError, blamedOn } from '../api/errors.ts'
import { expanded } from '../api/expand.ts'
import { IdempotencyKeys } from '../api/idempotency.ts'
import { parseForm, parseParams } from '../api/parse.ts'
import { apiVersion } from '../emitter.ts'
import { pageRoutes, refuseOtherSites } from '../pages/pages.ts'
import type { StripeState } from '../state.ts'
import { catalogRoutes } from './catalog.ts'
import { checkoutRoutes } from './checkout.ts'
import { controlRoutes } from './controls.ts'
import { customerRoutes } from './customers.ts'
import { discountRoutes } from './discounts.ts'
import { eventRoutes } from './events.ts'
import { invoiceRoutes } from './invoices.ts'
import { paymentRoutes } from './payments.ts'
import { scheduleRoutes } from './schedules.ts'
import { subscriptionRoutes } from './subscriptions.ts'

const resources = [
  customerRoutes,
  catalogRoutes,
  subscriptionRoutes,
  scheduleRoutes,
  invoiceRoutes,
  paymentRoutes,
  discountRoutes,
  checkoutRoutes,
  eventRoutes,
]

/** The API, the pages and the controls as one Web-standard application. */
export function routesOf(fake: StripeState): Hono {
  const app = new Hono()
  const keys = new IdempotencyKeys()
  const api: Api = (method, path, shape, answer) => {
    const endpoint = `${method.toUpperCase()} ${path}`
    app.on(method.toUpperCase(), path, async (context) => {
      const { req } = context
      checkHeaders(req.raw)
      const limited = fake.faults.limit(endpoint, fake.account ?? '')
      if (limited) return limited.toResponse()
      const form = method === 'get' ? '' : await req.text()
      const { expand, ...given } = { ...parseForm(new URL(req.url).search.slice(1)), ...parseForm(form) }
      const key = method === 'post' ? req.header('idempotency-key') : undefined
      const request = `${req.path}?${form}`
      const { now } = fake.store
      const known = key === undefined ? undefined : keys.recall(key, request, now)
      if (known) return answerOf(known.status, known.body, { 'idempotent-replayed': 'true' })
      const send = (status: number, body: string, isBegun = true) => {
        if (key !== undefined && isBegun) keys.remember(key, { request, status, body, at: now })
        return answerOf(status, body)
      }
      try {
        const fault = fake.faults.take()
        if (fault) throw fault
        const result = answer({ id: req.param('id') ?? '', params: parseParams(shape, given) })
        return send(200, JSON.stringify(expanded(fake.store, result, pathsOf(expand))))
      } catch (error) {
        const refusal = refusalOf(error, given)
        // A request that was refused unread is not remembered; one that failed on its way is.
        const isBegun = refusal.status === 402 || refusal.status >= 500
        const failed = send(refusal.status, JSON.stringify(refusal.body), isBegun)
        for (const [name, value] of Object.entries(refusal.headers)) failed.headers.set(name, value)
        return failed
      }
    })
  }
  refuseOtherSites(app)
  for (const add of resources) add(fake, api)
  pageRoutes(fake, app)
  controlRoutes(fake, app)
  app.notFound((context) =>
    new ApiError(
      404,
      `Unrecognized request URL (${context.req.method}: ${context.req.path}). This stand-in’s README lists what it supports.`,
    ).toResponse(),
  )
  app.onError((error) => {
    if (error instanceof ApiError) return error.toResponse()
    return new ApiError(500, error.message).toResponse()
  })
  return app
}

function refusalOf(error: unknown, params: unknown): ApiError {
  return error instanceof ApiError ? blamedOn(params, error) : new ApiError(500, (error as Error).message)
}

function pathsOf(expand: unknown): string[] {
  return typeof expand === 'object' && expand !== null ? Object.values(expand).map(String) : []
}

function answerOf(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, {
    status,
    headers: {
      'content-type': 'application/json',
      'request-id': 'req_fake',
      'stripe-version': apiVersion,
      ...headers,
    },
  })
}

function checkHeaders(request: Request): void {
  if (!/^Bearer sk_test_\w+$/.test(request.headers.get('authorization') ?? '')) {
    throw new ApiError(401, 'Pass any key that starts with sk_test_.', {
      type: 'authentication_error',
    })
  }
  const version = request.headers.get('stripe-version')
  if (version !== apiVersion) {
    throw new ApiError(400, `This stand-in supports ${apiVersion}, not ${version ?? 'an unnamed version'}.`)
  }
}
