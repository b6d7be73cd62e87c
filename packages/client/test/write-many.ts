import { openSample } from '@outgrow/sample'
import { withRetry } from '../src/index.ts'

/** A process of its own that adds to one counter for a while: `node write-many.ts <url> <milliseconds>`. */
const [url = '', milliseconds = '0'] = process.argv.slice(2)
const database = await openSample(url)
const until = Date.now() + Number(milliseconds)
let added = 0
let longestGapMs = 0
let last = performance.now()
const pulse = setInterval(() => {
  longestGapMs = Math.max(longestGapMs, performance.now() - last - 10)
  last = performance.now()
}, 10)
while (Date.now() < until) {
  await withRetry(
    () =>
      database.client.$transaction(async (tx) => {
        const { visits } = await tx.item.findUniqueOrThrow({ where: { slug: 'counter' } })
        await tx.item.update({ where: { slug: 'counter' }, data: { visits: visits + 1n } })
      }),
    { attempts: 50 },
  )
  added++
}
clearInterval(pulse)
const counters = database.counters()
await database.close()
process.stdout.write(JSON.stringify({ added, longestGapMs, counters }))
