// One process of a load: `child.ts <role> <file URL> <folder of signs> <seconds>`.
import { setTimeout as sleep } from 'node:timers/promises'
import { createWebhookHandler, openStripe, prismaStore, runWorker } from '@outgrow/billing'
import { openDatabase, withRetry, type Database } from '@outgrow/db'
import { openSqliteReadonly, parseSqliteSource } from '@outgrow/databases'
import { recordSigns } from '@outgrow/signs'
import { serveOnLoopback } from '@outgrow/stripe-fake'

const [role = '', url = '', directory = '', seconds = '0'] = process.argv.slice(2)
const stop = AbortSignal.timeout(Number(seconds) * 1000)
// A parent that is gone takes its children with it.
process.on('disconnect', () => process.exit(0))

/** Tells the parent, once, that this process is under way: so often it has done its work. */
function reportStarted(times: number): () => void {
  let done = 0
  return () => {
    if (++done === times) process.send?.('begun')
  }
}

const roles: Record<string, (database: Database) => Promise<void>> = {
  /** Holds the lock while it waits for something else, as careless transactions do. */
  writer: async ({ client }) => {
    const begun = reportStarted(20)
    while (!stop.aborted) {
      await withRetry(() =>
        client.$transaction(async (tx) => {
          await tx.$executeRawUnsafe('INSERT INTO _outgrow_load (payload) VALUES (hex(randomblob(200)))')
          await sleep(5 + Math.random() * 20)
        }),
      ).catch((error: unknown) => {
        // A write that found no place in time is what this load is about.
        if (!/P1008|P2028/.test(String((error as { code?: unknown }).code))) throw error
      })
      begun()
    }
  },
  /** Writes a good part of a megabyte at a time. */
  'bulk-writer': async ({ client }) => {
    const begun = reportStarted(100)
    while (!stop.aborted) {
      await client.$executeRawUnsafe(
        'INSERT INTO _outgrow_load (payload) WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) SELECT hex(randomblob(2000)) FROM n',
      )
      begun()
      await sleep(10)
    }
  },
  /** Opens a read and never ends it. */
  reader: async () => {
    const file = openSqliteReadonly(parseSqliteSource(url).path)
    const rows = file.prepare('SELECT * FROM sqlite_schema').iterate()
    rows.next()
    process.send?.('reading')
    await sleep(Number(seconds) * 1000)
    rows.return?.()
    file.close()
  },
  intake: async (database) => {
    const receive = createWebhookHandler({ store: prismaStore(database), secrets: ['whsec_load'] })
    const begun = reportStarted(100)
    const server = await serveOnLoopback(async (request) => {
      const response = await receive(request)
      begun()
      return response
    })
    process.send?.(server.url)
    await sleep(Number(seconds) * 1000)
    await server.close()
  },
  worker: async (database) => {
    await runWorker({
      store: prismaStore(database),
      stripe: openStripe(),
      signal: stop,
      send: () => Promise.resolve(),
    })
  },
}

const work = roles[role]
if (!work) throw new Error(`there is no role ${role}`)
const database = await openDatabase(url)
const signs = recordSigns({ url, counters: database.counters, directory, process: role, everyMs: 250 })
await work(database)
signs.stop()
await database.close()
process.disconnect?.()
