import { expect, test } from 'vitest'
import { refreshing } from '../../src/monitoring/metrics/refreshing.ts'

const everyMs = 300

/** A source whose reads end when the test says so, at times of the test's own clock. */
function source() {
  const clock = { at: 1000 }
  const reads: PromiseWithResolvers<string>[] = []
  const read = () => {
    const asked = Promise.withResolvers<string>()
    reads.push(asked)
    return asked.promise
  }
  return { clock, reads, ask: refreshing(read, everyMs, () => clock.at) }
}

test('while a slow source is read again, what was read before is answered', async () => {
  const { clock, reads, ask } = source()
  const first = ask()
  expect(reads.length).toBe(1)
  reads[0]?.resolve('first')
  expect(await first).toBe('first')
  clock.at += everyMs
  for (let asked = 0; asked < 3; asked++) {
    expect([await ask(), reads.length]).toEqual(['first', 2])
    clock.at += everyMs / 4
  }
  reads[1]?.resolve('second')
  await reads[1]?.promise
  expect([await ask(), reads.length]).toEqual(['second', 2])
})

test('what is older than two intervals is not answered any more', async () => {
  const { clock, reads, ask } = source()
  const first = ask()
  reads[0]?.resolve('first')
  await first
  clock.at += 2 * everyMs + 1
  const later = ask()
  reads[1]?.resolve('second')
  expect(await later).toBe('second')
})

test('a source that cannot be read any more is reported, and not taken for what it was', async () => {
  const { clock, reads, ask } = source()
  const first = ask()
  reads[0]?.resolve('first')
  await first
  clock.at += everyMs
  expect(await ask()).toBe('first')
  reads[1]?.reject(new Error('away'))
  await reads[1]?.promise.catch(() => {})
  const failing = ask()
  reads[2]?.reject(new Error('still away'))
  await expect(failing).rejects.toThrow('still away')
})
