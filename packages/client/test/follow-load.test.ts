import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { until, type LiveGraduation } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { makeGraduation, openGraduating } from './graduating.ts'
import { emptyLedger, workOn, type Ledger } from './ledger.ts'

/** Another process of the application, until its input is ended. */
function startProcess(graduation: LiveGraduation, mark: string) {
  const ended = Promise.withResolvers<Ledger & { provider: string }>()
  const child = execFile(
    process.execPath,
    [join(import.meta.dirname, 'work-process.ts'), graduation.url, mark],
    { env: { ...process.env, POSTGRES_URL: graduation.postgresUrl }, maxBuffer: 1e8 },
    (error, stdout, stderr) => {
      if (error) ended.reject(new Error(stderr, { cause: error }))
      else ended.resolve(JSON.parse(stdout) as Ledger & { provider: string })
    },
  )
  return { stop: () => child.stdin?.end(), ended: ended.promise }
}

test('two processes under load go to Postgres, back and there again: each sees longer operations, no error, and nothing is lost or done twice', async () => {
  const graduation = await makeGraduation()
  const database = await openGraduating(graduation)
  const { client } = database
  await client.account.create({
    data: {
      id: 'a',
      name: 'A',
      slug: 'a',
      items: { create: ['from', 'to', 'counter'].map((slug) => ({ slug, name: slug })) },
    },
  })
  const other = startProcess(graduation, 'other')
  const ledger = emptyLedger()
  let isStopped = false
  const working = workOn(ledger, database, 'own', () => isStopped)
  /** Every kind of operation was answered a few times more. */
  const workingOn = async () => {
    const before = { ...ledger.answers }
    await until(
      () =>
        ledger.errors.length > 0 ||
        (Object.keys(ledger.answers).length === 13 &&
          Object.entries(ledger.answers).every(([kind, count]) => count >= (before[kind] ?? 0) + 10)),
    )
  }
  await workingOn()
  await graduation.begin()
  // Both processes have said that they can follow, and have written before each switch and after it.
  const bothAt = (epoch: number) => () => {
    const all = graduation.processes()
    return all.length === 2 && all.every((one) => one.reaches === true && one.epoch === epoch)
  }
  await until(bothAt(1))
  for (const [at, turn] of ['forward', 'back', 'forward'].entries()) {
    await workingOn()
    if (turn === 'forward') {
      if (at > 0) await graduation.prepareTarget()
      await graduation.forward()
    } else await graduation.back()
    await until(bothAt(at + 2))
    await workingOn()
  }
  isStopped = true
  other.stop()
  const [theirs] = await Promise.all([other.ended, working])
  expect([...ledger.errors, ...theirs.errors]).toEqual([])
  expect([database.provider, theirs.provider]).toEqual(['postgres', 'postgres'])
  const labels = await graduation.onPostgres<{ name: string }>('SELECT name FROM labels')
  const acknowledged = [...ledger.labels, ...theirs.labels]
  expect(theirs.labels.length).toBeGreaterThan(10)
  expect(new Set(labels.map(({ name }) => name))).toEqual(new Set(acknowledged))
  expect(labels).toHaveLength(acknowledged.length)
  const items = await graduation.onPostgres<{ slug: string; visits: string; rating: number }>(
    "SELECT slug, visits, rating FROM items WHERE slug IN ('from', 'to', 'counter')",
  )
  expect(items.reduce((sum, { rating }) => sum + rating, 0)).toBe(0)
  expect(Number(items.find(({ slug }) => slug === 'counter')?.visits)).toBe(ledger.added + theirs.added)
  await database.close()
  await graduation.drop()
}, 240_000)
