import { Hono } from 'hono'
import type { Api } from './api.ts'
import { day, type Seconds } from './clock.ts'
import { apiVersion } from './emitter.ts'
import { ApiError } from './errors.ts'
import { billingRoutes } from './routes-billing.ts'
import { customerRoutes } from './routes-customers.ts'
import { pageRoutes } from './pages.ts'
import { parseParams } from './params.ts'
import type { Fault, StripeState } from './state.ts'

/** What a key was answered: for a day, and a failure of Stripe's own too. */
interface Remembered {
  request: string
  status: number
  body: string
  at: Seconds
}

/** The API, the pages and the controls as one Web-standard application. */
export function routesOf(fake: StripeState): Hono {
  const app = new Hono()
  const remembered = new Map<string, Remembered>()
  const api: Api = (method, path, answer) => {
    app.on(method.toUpperCase(), path, async (context) => {
      const { req } = context
      checkHeaders(req.raw)
      const form = method === 'get' ? '' : await req.text()
      const params = { ...parseParams(new URL(req.url).search.slice(1)), ...parseParams(form) }
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
      const body = JSON.stringify(answer({ id: req.param('id') ?? '', params }))
      remember(200, body)
      return answerOf(200, body)
    })
  }
  customerRoutes(fake, api)
  billingRoutes(fake, api)
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

/** What no Stripe has: the clock, faults, and outcomes that otherwise only time or a bank decides. */
function controlRoutes(fake: StripeState, app: Hono): void {
  app.post('/_clock', async (context) => {
    const { advanceSeconds } = (await context.req.json().catch(() => ({}))) as { advanceSeconds?: unknown }
    if (typeof advanceSeconds !== 'number' || !(advanceSeconds >= 0)) {
      throw new ApiError(400, 'Send {"advanceSeconds": n}.', { param: 'advanceSeconds' })
    }
    fake.advance(advanceSeconds)
    return context.json({ now: fake.store.now })
  })
  app.get('/_clock', (context) => context.json({ now: fake.store.now }))
  app.post('/_faults', async (context) => {
    fake.fail(await context.req.json<Fault>())
    return context.json({ ok: true })
  })
  app.post('/_cards/:customer', async (context) => {
    const { card } = await context.req.json<{ card: 'succeeds' | 'fails' }>()
    fake.setCard(context.req.param('customer'), card)
    return context.json({ ok: true })
  })
  app.post('/_refunds/:customer', (context) => context.json(fake.refund(context.req.param('customer')) ?? {}))
  app.post('/_disputes/:customer', (context) =>
    context.json(fake.dispute(context.req.param('customer')) ?? {}),
  )
  app.post('/_resend/:event', (context) => {
    const event = fake.store.events.get(context.req.param('event'))
    if (!event) throw new ApiError(404, 'No such event')
    fake.deliveries.add(event)
    return context.json({ ok: true })
  })
}
