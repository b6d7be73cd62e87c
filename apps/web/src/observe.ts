import { randomUUID } from 'node:crypto'
import type { Tracing } from '@outgrow/operations/monitoring'
import type { MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { Services, WebEnvironment } from './services.ts'

/** Gives each request a number, and reports how it was answered: to the log, to the metrics, and in a span. */
export function observe({ log, requests, tracing }: Services): MiddlewareHandler<WebEnvironment> {
  return async (context, next) => {
    const started = performance.now()
    context.set('requestId', randomUUID())
    await traced(tracing, context.req.method, async (span) => {
      await next()
      // Whatever wraps pages matches too.
      const route = matchedRoutes(context).findLast(({ path }) => !path.endsWith('*'))?.path ?? '/*'
      span?.rename(`${context.req.method} ${route}`)
      span?.set({
        'http.request.method': context.req.method,
        'http.route': route,
        'http.response.status_code': context.res.status,
      })
    })
    const { method, path } = context.req
    const { status } = context.res
    const elapsedMs = performance.now() - started
    requests.observe({ method, status: String(status) }, elapsedMs / 1000)
    const ms = Math.round(elapsedMs * 10) / 10
    log.info({ requestId: context.get('requestId'), method, path, status, ms })
  }
}

type Work = Parameters<Tracing['inSpan']>[1]

function traced(
  tracing: Tracing | undefined,
  name: string,
  work: (span?: Parameters<Work>[0]) => Promise<void>,
): Promise<void> {
  return tracing ? tracing.inSpan(name, work) : work()
}
