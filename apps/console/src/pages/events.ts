import type { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { Message, Topic } from '../live.ts'
import type { Services } from '../services.ts'

const topics = new Set<string>(['signs', 'inbox', 'runs', 'graduation'] satisfies Topic[])
/** Keeps proxies from closing a stream on which nothing happens. */
const pulseMs = 15_000
/** Whoever leaves this many unread is let go: the browser connects again when it reads. */
const maxPending = 100

/** The stream of changes that an open page listens to. */
export function eventStream(app: Hono, { live }: Services): void {
  app.get('/events', (context) => {
    if (context.req.method === 'HEAD') return context.body(null)
    const wanted = (context.req.query('topics') ?? '')
      .split(',')
      .filter((topic) => topics.has(topic)) as Topic[]
    context.header('cache-control', 'no-store')
    return streamSSE(context, async (stream) => {
      const left = Promise.withResolvers<void>()
      stream.onAbort(left.resolve)
      let pending = 0
      const send = (message: { event: string; data: string }) => {
        if (pending > maxPending) left.resolve()
        pending++
        void stream
          .writeSSE(message)
          .catch(() => {})
          .finally(() => pending--)
      }
      const end = live.subscribe(
        new Set(wanted),
        Number(context.req.query('since')) || 0,
        ({ event, data }: Message) => send({ event, data }),
      )
      const pulse = setInterval(() => send({ event: 'pulse', data: '' }), pulseMs)
      await left.promise
      clearInterval(pulse)
      end()
    })
  })
}
