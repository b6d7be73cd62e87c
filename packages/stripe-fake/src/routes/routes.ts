import { Hono } from 'hono'
import type { Api } from '../api/api.ts'
import { ApiError } from '../api/errors.ts'
import { expanded } from '../api/expand.ts'
import { parseForm, parseParams } from '../api/parse.ts'
import { day, type Seconds } from '../clock.ts'
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

/** What a key was answered: for a day, and a failure of Stripe's own too. */
interface Remembered {
  request: string
  status: number
  body: string
  at: Seconds
}

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
  const remembered = new Map<string, Remembered>()
  const api: Api = (method, path, shape, answer) => {
    app.on(method.toUpperCase(), path, async (context) => {
      const { req } = context
      checkHeaders(req.raw)
      const form = method === 'get' ? '' : await req.text()
      const { expand, ...given } = { ...parseForm(new URL(req.url).search.slice(1)), ...parseForm(form) }
      const key = method === 'post' ? req.header('idempotency-key') : undefined
      const request = `${req.path}?${form}`
      const known = key === undefined ? undefined : remembered.get(key)
      if (known && fake.store.now - known.at < day) {
        if (known.request !== request) {
          throw new ApiError(
            400,
            'Keys for idempotent requests can only be used with the same parameters they were first used with.',
            {
              type: 'idempotency_error',
            },
          )
        }
        return answerOf(known.status, known.body, { 'idempotent-replayed': 'true' })
      }
      const remember = (status: number, body: string) => {
        if (key !== undefined) remembered.set(key, { request, status, body, at: fake.store.now })
      }
      const fault = fake.takeFault()
      if (fault) {
        const failed = fault.toResponse()
        if (fault.status >= 500) remember(fault.status, await failed.clone().text())
        return failed
      }
      const result = answer({ id: req.param('id') ?? '', params: parseParams(shape, given) })
      const body = JSON.stringify(expanded(fake.store, result, pathsOf(expand)))
      remember(200, body)
      return answerOf(200, body)
    })
  }
  refuseOtherSites(app)
  for (const add of resources) add(fake, api)
  pageRoutes(fake, app)
  controlRoutes(fake, app)
  app.notFound((context) =>
    new ApiError(
      404,
      `This stand-in does not support ${context.req.method} ${context.req.path}. Its README lists what it supports.`,
    ).toResponse(),
  )
  app.onError((error) => {
    if (error instanceof ApiError) return error.toResponse()
    return new ApiError(500, error.message).toResponse()
  })
  return app
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
