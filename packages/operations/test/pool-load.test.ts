import { setTimeout as sleep } from 'node:timers/promises'
import { lockForUpdate, withRetry } from '@outgrow/client'
import { openSample, type SampleDatabase } from '@outgrow/sample'
import { makeSampleDatabase, until, type SchemaDatabase } from '@outgrow/testing'
import { hasPgbouncer } from '@outgrow/testing/pooler'
import { describe, expect, inject, test } from 'vitest'
import { withConsole } from '../src/index.ts'

/** Processes of an application, ten connections each. */
const processes = 6
const clients = 60

/** Sixty connections to a pool of five, which is what `outgrow pool --cores 2` comes to. */
async function withClients(
  more: string,
  use: (databases: SampleDatabase[], made: SchemaDatabase) => Promise<void>,
): Promise<void> {
  const made = await makeSampleDatabase('postgres behind pgbouncer', inject('postgresUrl'), {
    processes,
    more,
  })
  const databases = await Promise.all(Array.from({ length: processes }, () => openSample(made.url)))
  try {
    const [first] = databases as [SampleDatabase]
    await first.client.account.create({ data: { id: 'a', name: 'A', slug: 'a' } })
    for (let at = 0; at < 10; at++)
      await first.client.item.create({ data: { slug: `item-${at}`, name: 'I', accountId: 'a' } })
    await use(databases, made)
  } finally {
    await Promise.all(databases.map((database) => database.close()))
    await made.drop()
  }
}

/** What nobody waits for, nobody holds. */
async function isQuiet({ adminUrl = '' }: SchemaDatabase): Promise<boolean> {
  const pools = await withConsole(adminUrl, (show) => show('POOLS'))
  return (pools ?? [])
    .filter(({ database }) => database !== 'pgbouncer')
    .every((pool) => pool.cl_waiting === '0' && pool.sv_active === '0')
}

async function addOne(
  database: SampleDatabase,
  slug: string,
  holdMs: number,
  options: { maxWait?: number; timeout?: number } = {},
): Promise<void> {
  await database.client.$transaction(async (tx) => {
    await lockForUpdate(database, tx, 'item', { slug })
    const { visits } = await tx.item.findUniqueOrThrow({ where: { slug } })
    await sleep(holdMs)
    await tx.item.update({ where: { slug }, data: { visits: visits + 1n } })
  }, options)
}

async function visitsOf([database]: SampleDatabase[]): Promise<number> {
  const sum = await database?.client.item.aggregate({ _sum: { visits: true } })
  return Number(sum?._sum.visits)
}

describe.skipIf(!hasPgbouncer)('sixty clients on a pool of five', () => {
  test('do all of their transactions, with no update lost and no error', () =>
    withClients('', async (databases, made) => {
      const each = 10
      const waits: number[] = []
      const began = performance.now()
      await Promise.all(
        Array.from({ length: clients }, async (_, client) => {
          for (let round = 0; round < each; round++) {
            const asked = performance.now()
            // As long as it takes a machine that does something else as well.
            const patient = { maxWait: 120_000, timeout: 120_000 }
            const database = databases[client % processes] as SampleDatabase
            await addOne(database, `item-${(client + round) % 10}`, 2, patient)
            waits.push(performance.now() - asked)
          }
        }),
      )
      expect(await visitsOf(databases)).toBe(clients * each)
      await until(() => isQuiet(made))
      // Milliseconds: for docs/pool.md.
      const [all, slowest] = [performance.now() - began, Math.max(...waits)].map(Math.round)
      process.stdout.write(`${clients * each} transactions in ${all} ms, the slowest ${slowest} ms\n`)
    }))

  test('of which some wait longer than Prisma does have done nothing, and leave nothing behind', () =>
    withClients('', async (databases, made) => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: clients }, (_, client) =>
          // What has begun may take its time: only the wait for the beginning is limited.
          addOne(databases[client % processes] as SampleDatabase, `item-${client % 10}`, 300, {
            timeout: 120_000,
          }),
        ),
      )
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
      expect(refused.length).toBeGreaterThan(0)
      for (const { reason } of refused) expect(String(reason)).toContain('Unable to start a transaction')
      await until(() => isQuiet(made))
      expect(await visitsOf(databases)).toBe(clients - refused.length)
    }))

  test('of which some wait longer than the pooler lets them lose nothing where each is tried again', () =>
    withClients('query_wait_timeout = 1\n', async (databases, made) => {
      const refused: unknown[] = []
      await Promise.all(
        Array.from({ length: clients }, (_, client) =>
          withRetry(
            () =>
              addOne(databases[client % processes] as SampleDatabase, `item-${client % 10}`, 150, {
                timeout: 120_000,
              }).catch((error: unknown) => {
                refused.push(error)
                throw error
              }),
            // As many as a slow machine takes: whoever gives up would lose something.
            { attempts: 12 },
          ),
        ),
      )
      expect(refused.length).toBeGreaterThan(0)
      // Where the machine is slow, some wait for their own process first.
      for (const error of refused) expect(String(error)).toMatch(/query_wait_timeout|Unable to start/)
      expect(await visitsOf(databases)).toBe(clients)
      await until(() => isQuiet(made))
    }))
})
