import type { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { Message, Topic } from '../live.ts'
import type { Services } from '../services.ts'

const topics = new Set<string>(['signs', 'inbox', 'runs'] satisfies Topic[])
/** Keeps proxies from closing a stream on which nothing happens. */
const pulseMs = 15_000
const mostPending = 100

/** The stream of changes that an open page listens to. */
export function eventStream(app: Hono, { live }: Services): void {
  app.get('/events', (context) => {
    if (context.req.method === 'HEAD') return context.body(null)
    const wanted = (context.req.query('topics') ?? '')
      .split(',')
      .filter((topic) => topics.has(topic)) as Topic[]
    context.header('cache-control', 'no-store')
    return streamSSE(context, async (stream) => {
      let pending = 0
      const send = ({ event, data }: Message) => {
        // Whoever does not read is let go: the browser connects again when it does.
        if (pending > mostPending) {
          void stream.close()
          return
        }
        pending++
        void stream
          .writeSSE({ event, data })
          .catch(() => {})
          .finally(() => pending--)
      }
      const end = live.subscribe(new Set(wanted), send)
      stream.onAbort(end)
      while (!stream.aborted && !stream.closed) {
        await stream.sleep(pulseMs)
        if (!stream.aborted && !stream.closed) await stream.writeSSE({ event: 'pulse', data: '' })
      }
      end()
    })
  })
}
