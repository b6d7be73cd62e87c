import { setTimeout as sleep } from 'node:timers/promises'
import { connectPostgres } from '@outgrow/databases'

// Writes again and again, and measures the longest wait.

const [to = '', sql = ''] = process.argv.slice(2)
const client = await connectPostgres(to)
let longest = 0
let ends = false
let asked = 0
process.on('message', (message) => {
  if (message === 'reset') longest = 0
  else ends = true
})
process.send?.('ready')
while (!ends) {
  asked = performance.now()
  const gone = await client.query(sql).then(
    () => false,
    () => true,
  )
  longest = Math.max(longest, performance.now() - asked)
  if (gone) await sleep(50)
  await sleep(5)
}
process.send?.(longest)
await client.end()
process.disconnect?.()
