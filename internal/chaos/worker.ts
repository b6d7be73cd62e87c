/** One worker process of the chaos run: `node worker.ts <variant>`, with its addresses in the environment. */
import { openStripe, prismaStore, runWorker } from '@outgrow/billing'
import { openDatabase } from '@outgrow/db'
import { runLastWrite, withoutFence, type Variant } from './variants.ts'

const variant = process.argv[2] as Variant
const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())
process.on('disconnect', () => process.exit())
const opened = await openDatabase(process.env.DATABASE_URL ?? '')
if (variant === 'last-write') await runLastWrite(opened, stop.signal)
else {
  await runWorker({
    store: variant === 'unfenced' ? withoutFence(prismaStore(opened)) : prismaStore(opened),
    stripe: openStripe(),
    signal: stop.signal,
    concurrency: 2,
    pollMs: 15,
    leaseMs: 2000,
    send: async ({ key }) => {
      const answer = await fetch(`${process.env.STRIPE_API_BASE}/_sent`, { method: 'POST', body: key })
      if (!answer.ok) throw new Error('not sent')
    },
  })
}
await opened.close()
