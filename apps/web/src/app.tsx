import { createWebhookHandler } from '@outgrow/billing'
import { isRetryable, isUnavailable } from '@outgrow/db'
import { Failure } from '@outgrow/kit'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { compress } from 'hono/compress'
import { csrf } from 'hono/csrf'
import { HTTPException } from 'hono/http-exception'
import { secureHeaders } from 'hono/secure-headers'
import { observe } from './observe.ts'
import { accountPages } from './pages/account.tsx'
import { billingPages } from './pages/billing.tsx'
import { changePlanPages } from './pages/change-plan.tsx'
import { homePage } from './pages/home.tsx'
import { pricingPages } from './pages/pricing.tsx'
import { examplePages } from './example/pages.tsx' // example
import { screenshotRoute } from './example/screenshot.ts' // example
import type { Services, WebEnvironment } from './services.ts'
import { Layout } from './views/layout.tsx'
import { icon, style, stylePath } from './views/assets.ts'
import { identify } from './visitor.ts'

/** The most that a form may send: a screenshot and its fields. */
const maxBytes = 1_500_000

/** The whole application, as one handler. */
export function createApp(services: Services): Hono<WebEnvironment> {
  const { database, store, webhookSecrets, log } = services
  const app = new Hono<WebEnvironment>()
  app.use(observe(services))

  // Raw bytes and Stripe's signature in place of cookies: none of what protects forms applies.
  const receive = createWebhookHandler({
    store,
    secrets: webhookSecrets,
    onError: (message) => log.error({ message }, 'webhook'),
  })
  app.all('/webhooks/stripe', (context) => receive(context.req.raw))
  app.get('/health', async (context) => {
    await database.client.$queryRaw`SELECT 1`
    return context.json({ ok: true, database: database.provider })
  })

  app.use(async (context, next) => {
    // No text of ours holds a NUL, and Postgres takes none.
    if (/%00/.test(context.req.url))
      throw new HTTPException(400, { message: 'The address contains a NUL character.' })
    await next()
  })
  screenshotRoute(app, services) // example
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        // Forms that lead to Stripe's pages are redirected there, and the browser asks the policy about that too.
        formAction: ["'self'", ...services.stripeOrigins],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
      referrerPolicy: 'same-origin',
      xFrameOptions: 'DENY',
    }),
  )
  app.use(compress())
  app.get(stylePath, (context) =>
    context.body(style, 200, {
      'content-type': 'text/css; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    }),
  )
  app.get('/favicon.svg', (context) =>
    context.body(icon, 200, { 'content-type': 'image/svg+xml', 'cache-control': 'public, max-age=86400' }),
  )
  // Behind a proxy that ends TLS the request's own address is http: the browser's is the application's.
  app.use(csrf({ origin: new URL(services.appUrl).origin }))
  app.use(bodyLimit({ maxSize: maxBytes, onError: () => problem(413, 'The request is larger than 1.5 MB.') }))
  app.use(identify(services))

  examplePages(app, services) // example
  homePage(app)
  accountPages(app, services)
  pricingPages(app, services)
  billingPages(app, services)
  changePlanPages(app, services)

  app.notFound((context) =>
    context.html(
      <Layout visitor={context.get('visitor')} title="Not found">
        <h1>There is no such page</h1>
        <p>
          It may have moved, or it never existed. <a href="/">Back to the start</a>
        </p>
      </Layout>,
      404,
    ),
  )
  app.onError((error, context) => {
    if (error instanceof HTTPException && error.res) return error.res
    const { status, message } = answerTo(error)
    if (status === 503) context.header('retry-after', '5')
    if (status >= 500)
      log.error({ requestId: context.get('requestId'), error: String(error), stack: error.stack }, 'failed')
    return context.html(
      <Layout visitor={context.get('visitor')} title="That did not work">
        <h1>That did not work</h1>
        <p>{message}</p>
        {status >= 500 && (
          <p class="quiet">
            If this keeps happening, send us this number: <code>{context.get('requestId')}</code>
          </p>
        )}
      </Layout>,
      status,
    )
  })
  return app
}

function problem(status: 413, message: string): never {
  throw new HTTPException(status, { message })
}

/** What a failure is to the visitor: an expected one says what it is, a bug says nothing of itself. */
function answerTo(error: Error): { status: 400 | 403 | 404 | 409 | 413 | 429 | 500 | 503; message: string } {
  if (error instanceof HTTPException) {
    const status = error.status as 400 | 403 | 404 | 409 | 413 | 429
    if (status === 403 && error.message === '')
      return { status, message: 'The form came from another site. Open the page here and send it again.' }
    return { status, message: error.message || 'The request cannot be answered.' }
  }
  const { code, type } = error as { code?: string; type?: string }
  // Deleted between the look and the write, or what it belongs to was.
  if (code === 'P2025' || code === 'P2003') return { status: 404, message: 'It no longer exists.' }
  if (isRetryable(error) || isUnavailable(error))
    return { status: 503, message: 'The server is busy. Try again in a moment.' }
  if (error instanceof Failure && error.code.startsWith('OUTGROW_BILLING'))
    return { status: 409, message: billingMessages[error.code] ?? error.message }
  if (type === 'StripeCardError')
    return { status: 409, message: 'The card was declined. Nothing was changed; use another card.' }
  // What it refuses it would refuse again.
  if (type?.startsWith('Stripe') === true && type !== 'StripeInvalidRequestError')
    return {
      status: 503,
      // A lost answer is no refusal: what was asked for may have been done.
      message:
        'The payment service is not responding. Look at the billing page in a moment, before you try again.',
    }
  return { status: 500, message: 'Something went wrong on our side. The error has been logged.' }
}

const billingMessages: Record<string, string> = {
  OUTGROW_BILLING_SUBSCRIBED: 'Your account already has a plan. Change it on the billing page.',
  OUTGROW_BILLING_CHANGED: 'Your plan or the price has changed meanwhile. Look at what it costs again.',
  OUTGROW_BILLING_CHANGE_PENDING: 'Another change to your plan is in progress. Try again in a moment.',
  OUTGROW_BILLING_NO_CUSTOMER: 'There is nothing to manage yet. Choose a plan first.',
  OUTGROW_BILLING_NO_SUBSCRIPTION:
    'Your plan does not allow that at the moment. Open the billing page again.',
  OUTGROW_BILLING_PLAN: 'You cannot change to this plan here. Write to us.',
  OUTGROW_BILLING_PLANNED: 'A change of your plan is planned. Take it back first.',
  OUTGROW_BILLING_PROMOTION_CODE:
    'This code is unknown, has expired, was used before, or is not for your plan.',
  OUTGROW_BILLING_UNCHANGEABLE: 'Your plan cannot be changed here at the moment. Write to us.',
  OUTGROW_BILLING_SESSION: 'This payment does not belong to your account.',
}
