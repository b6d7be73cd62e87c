import { createHash, timingSafeEqual } from 'node:crypto'
import type { Metrics } from './create-metrics.ts'

/**
 * Answers Prometheus. With a token, only who sends it as `Authorization: Bearer …`.
 * @param token where the endpoint can be reached by others than Prometheus
 */
export async function answerMetrics(
  request: Request,
  metrics: Metrics,
  token: string | undefined,
): Promise<Response> {
  if (token !== undefined && !isSame(request.headers.get('authorization') ?? '', `Bearer ${token}`))
    return new Response('The metrics want the token METRICS_TOKEN.\n', {
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
    })
  const { type, body } = await metrics.text(
    limitOf(request.headers.get('x-prometheus-scrape-timeout-seconds')),
  )
  return new Response(body, { headers: { 'content-type': type, 'cache-control': 'no-store' } })
}

/** Prometheus says how long it waits for all of it. */
function limitOf(seconds: string | null): number | undefined {
  const waits = Number(seconds)
  return waits > 0 ? Math.min(5000, waits * 800) : undefined
}

function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(wanted))
}
