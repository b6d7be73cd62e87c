/** An application at work: `live-writer.ts <file> <number> <writes per second>`. It tells its gaps for each message. */
import { setTimeout as sleep } from 'node:timers/promises'
import { openSample } from '@outgrow/sample'

export interface WriterGaps {
  writes: number
  /** Times in ms since the epoch between two acknowledged writes that were further apart than usual. */
  gaps: [from: number, to: number][]
}

/** Shorter ones are the pace. */
const noticedMs = 5
const [file = '', number = '0', rate = '100'] = process.argv.slice(2)
const database = await openSample(`file:${file}?lock_timeout=60`)
const told: WriterGaps = { writes: 0, gaps: [] }
const now = () => performance.timeOrigin + performance.now()

process.on('disconnect', () => process.exit())
process.on('message', () => process.send?.(told))
process.send?.('ready')

let last = now()
for (let at = 0; ; at++) {
  await write(at)
  const acknowledged = now()
  if (acknowledged - last > noticedMs) told.gaps.push([last, acknowledged])
  last = acknowledged
  told.writes++
  await sleep(Math.max(0, 1000 / Number(rate) - 1))
}

/** A row of its own is added, and one that others read is changed. */
async function write(at: number): Promise<void> {
  const { client } = database
  await client.$transaction(
    async (tx) => {
      const name = `${number}-${at}`
      if (at % 2 === 0)
        await tx.person.create({
          data: { email: `${name}-${process.pid}@example.com`, name, preferences: { at, number } },
        })
      else
        await tx.person.updateMany({
          where: { email: `${number}-${Math.floor(Math.random() * at)}-${process.pid}@example.com` },
          data: { name: `changed ${at}` },
        })
    },
    { timeout: 60_000, maxWait: 60_000 },
  )
}
