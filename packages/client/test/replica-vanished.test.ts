import { TcpGate, until } from '@outgrow/testing'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { counters, Replicated } from './replicated.ts'

let replicated: Replicated
let gate: TcpGate

beforeAll(async () => {
  replicated = await Replicated.start(1)
  gate = await TcpGate.open()
  gate.port = replicated.standby.gate.listening
})
afterEach(async () => {
  await replicated.closeOpened()
  gate.losesAt = undefined
})
afterAll(async () => {
  await gate.close()
  await replicated.close()
})

/** The same standby twice: through a gate of its own first. */
async function open(maxLagMs: number) {
  const url = new URL(replicated.urlOn(replicated.standby))
  const direct = url.href
  url.port = String(gate.listening)
  const database = await replicated.open({ replicas: [url.href, direct], replicaLimits: { maxLagMs } })
  const isInUse = (at: number) => counters(database).servers[at]?.isInUse === true
  return { database, client: database.client, isInUse }
}

test('a replica whose client cannot be opened keeps no look at another one waiting', async () => {
  gate.losesAt = "current_setting('timezone')"
  const { client, isInUse } = await open(1500)
  await until(() => isInUse(1))
  await replicated.paused(async () => {
    await until(async () => {
      await client.label.create({ data: { name: String(performance.now()) } })
      return !isInUse(1)
    })
  })
  await until(() => isInUse(1))
  expect(isInUse(0)).toBe(false)
})

test('a host that vanishes while it is read from and comes back as another one is used again', async () => {
  const { client, database, isInUse } = await open(10_000)
  await until(() => isInUse(0) && isInUse(1))
  await Promise.all([client.label.count(), client.label.count()])
  gate.lose()
  await Promise.all([client.label.count(), client.label.count()])
  await replicated.standby.stop()
  await replicated.standby.start()
  await until(() => isInUse(0) && isInUse(1))
  const { replicaReads } = counters(database)
  await Promise.all([client.label.count(), client.label.count()])
  expect(counters(database).replicaReads).toBe(replicaReads + 2)
  gate.lose()
  await Promise.all([client.label.count(), client.label.count()])
})
