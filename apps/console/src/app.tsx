import { messageOf } from '@outgrow/kit'
import { Hono } from 'hono'
import { compress } from 'hono/compress'
import { csrf } from 'hono/csrf'
import { HTTPException } from 'hono/http-exception'
import { secureHeaders } from 'hono/secure-headers'
import { assetRoutes } from './assets.ts'
import { isMissingTable } from './chart-data.ts'
import { guard } from './guard.ts'
import { eventStream } from './pages/events.ts'
import { graduationPages } from './pages/graduation.tsx'
import { overviewPages } from './pages/overview.tsx'
import { subscriptionPages } from './pages/subscriptions.tsx'
import { webhookPages } from './pages/webhooks.tsx'
import type { Services } from './services.ts'
import { Layout } from './views/layout.tsx'

/** The whole console, as one handler. */
export function createConsole(services: Services): Hono {
  const app = new Hono()
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
      xFrameOptions: 'DENY',
      referrerPolicy: 'no-referrer',
      strictTransportSecurity: false,
    }),
  )
  app.use(async (context, next) => {
    // No text of ours holds a NUL, and Postgres takes none.
    if (/%00/.test(context.req.url))
      throw new HTTPException(400, { message: 'The address contains a NUL character.' })
    await next()
  })
  // For whoever starts it again when it hangs: that it answers, and nothing else, is no secret.
  app.get('/health', (context) => context.json({ ok: true }))
  app.use(guard(services))
  app.use(csrf())
  eventStream(app, services)
  app.use(compress())
  assetRoutes(app)
  overviewPages(app, services)
  webhookPages(app, services)
  subscriptionPages(app, services)
  graduationPages(app, services)
  app.notFound((context) => context.html(<Problem message="There is no such page." />, 404))
  app.onError((error, context) => {
    if (error instanceof HTTPException) return context.html(<Problem message={error.message} />, error.status)
    if (isMissingTable(error)) {
      return context.html(
        <Problem message="This database does not have Outgrow’s billing tables, so this page has nothing to show." />,
        404,
      )
    }
    services.log.error({ error: messageOf(error), stack: error.stack }, 'failed')
    return context.html(<Problem message={`An error: ${messageOf(error).split('\n').at(-1)}`} />, 500)
  })
  return app
}

function Problem({ message }: { message: string }) {
  return (
    <Layout title="That did not work" path="">
      <h1>That did not work</h1>
      <p>{message}</p>
    </Layout>
  )
}
