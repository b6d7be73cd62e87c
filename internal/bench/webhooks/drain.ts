import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStripe, prismaStore, runWorker } from '@outgrow/billing'
import { openDatabase, type Database } from '@outgrow/db'
import { median } from '../process-usage.ts'

const worker = join(import.meta.dirname, '../../chaos/worker.ts')

/** Worker processes that are up. They look for work every 15 ms. */
export async function startWorkers(env: NodeJS.ProcessEnv, count: number): Promise<ChildProcess[]> {
  const running = Array.from({ length: count }, () =>
    fork(worker, ['ours'], {
      env: { ...env, CHAOS_CALLS_PER_SECOND: 'Infinity' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    }),
  )
  await sleep(4000)
  return running
}

/** Events a second, from the moment that 1,000 events wait to the moment that none does; the workers are up before. */
export async function drain({ client }: Database, env: NodeJS.ProcessEnv, workers: number): Promise<number> {
  await client.webhookEvent.updateMany({ data: { status: 'DONE' } })
  const running = await startWorkers(env, workers)
  const events = await client.webhookEvent.findMany({ take: 1000, select: { id: true } })
  const started = performance.now()
  const range = {
    id: { lte: Math.max(...events.map(({ id }) => id)), gte: Math.min(...events.map(({ id }) => id)) },
  }
  await client.webhookEvent.updateMany({ where: range, data: { status: 'PENDING', attempts: 0 } })
  while ((await client.webhookEvent.count({ where: { status: { in: ['PENDING', 'PROCESSING'] } } })) > 0) {
    await sleep(20)
  }
  const ms = performance.now() - started
  for (const one of running) one.kill('SIGKILL')
  return (events.length / ms) * 1000
}

export interface Cost {
  events: number
  stripeCalls: number
  sqlStatements: number
}

/** What one event costs in calls and statements, when ten events of each of a hundred customers wait. */
export async function costOf(
  url: string,
  env: NodeJS.ProcessEnv,
  customers: readonly string[],
  calls: () => number,
): Promise<Cost> {
  const log = [{ emit: 'event', level: 'query' }]
  const database = await openDatabase(url, { client: { log } })
  const { client } = database
  await client.webhookEvent.deleteMany()
  for (const customer of customers) await client.webhookEvent.createMany({ data: touching(customer, 10) })
  let sqlStatements = 0
  const count = () => sqlStatements++
  ;(client as unknown as { $on(event: 'query', count: () => void): void }).$on('query', count)
  const before = calls()
  const { applied, superseded } = await runWorker({
    store: prismaStore(database),
    stripe: openStripe(env),
    untilEmpty: true,
    send: () => Promise.resolve(),
  })
  const events = applied + superseded
  const cost = {
    events,
    stripeCalls: (calls() - before) / events,
    sqlStatements: sqlStatements / events,
  }
  await database.close()
  return cost
}

function touching(customerId: string, count: number, name = 'touch') {
  return Array.from({ length: count }, (_, at) => ({
    stripeEventId: `evt_${name}_${customerId}_${at}`,
    type: 'customer.subscription.updated',
    objectId: `sub_${at}`,
    customerId,
    payload: '{}',
  }))
}

/** How long one customer's event waits that comes after another's 600, with one worker process. */
export async function waitBehind(
  { client }: Database,
  env: NodeJS.ProcessEnv,
  [noisy = '', quiet = '']: readonly string[],
): Promise<number> {
  await client.webhookEvent.deleteMany()
  const running = await startWorkers(env, 1)
  await client.webhookEvent.createMany({ data: touching(noisy, 600, 'noisy') })
  const started = performance.now()
  const [event] = touching(quiet, 1, 'quiet')
  if (event) await client.webhookEvent.create({ data: event })
  while ((await client.webhookEvent.count({ where: { customerId: quiet, status: 'DONE' } })) === 0) {
    await sleep(1)
  }
  const ms = performance.now() - started
  for (const one of running) one.kill('SIGKILL')
  return ms
}

/** How long an idle worker that looks once an hour takes to take up an event that arrives, in its own process. */
export async function wakeMs(
  database: Database,
  env: NodeJS.ProcessEnv,
  arrive: (at: number) => Promise<string>,
): Promise<number> {
  await database.client.webhookEvent.deleteMany()
  const stop = new AbortController()
  const store = prismaStore(database)
  let taken = Promise.withResolvers<void>()
  const inbox: typeof store.inbox = {
    ...store.inbox,
    lease: async (request) => {
      const events = await store.inbox.lease(request)
      if (events.length > 0) taken.resolve()
      return events
    },
  }
  const working = runWorker({
    store: { ...store, inbox },
    stripe: openStripe(env),
    signal: stop.signal,
    pollMs: 3_600_000,
  })
  const times: number[] = []
  for (let at = 0; at < 20; at++) {
    taken = Promise.withResolvers()
    const stripeEventId = await arrive(at)
    const answered = performance.now()
    await taken.promise
    times.push(performance.now() - answered)
    while ((await database.client.webhookEvent.count({ where: { stripeEventId, status: 'DONE' } })) === 0)
      await sleep(5)
  }
  stop.abort()
  await working
  return median(times)
}
