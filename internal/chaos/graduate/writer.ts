/** A process of the application that writes: `writer.ts <request as JSON>`. It ends with SIGTERM, after what it is doing. */
import { setTimeout as sleep } from 'node:timers/promises'
import { chanceOf } from './chance.ts'
import { Application, type ProcessRequest } from './follow-authority.ts'
import { now, openLedger, readLedger, type Note } from './ledger.ts'
import { operationOf } from './operations.ts'
import { perform } from './perform.ts'
import { Moved, Unknown } from './sql.ts'

const request = JSON.parse(process.argv[2] ?? '') as ProcessRequest
const { seed, number: writer, ledger, goesOn, fullShare } = request
const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())
process.on('disconnect', () => process.exit())

const before = readLedger<Note>(ledger)
const note = openLedger(ledger)
note({ is: 'start', at: now() })
let seq = before.reduce((last, one) => ('seq' in one ? Math.max(last, one.seq) : last), 0) + 1
const chance = chanceOf(seed, writer, seq, 77)
const application = new Application(request)

for (; !stop.signal.aborted; seq++) {
  await once()
  await sleep(chance.is(0.02) ? 30 : chance.whole(5))
}
await application.close()
note({ is: 'end', at: now() })
process.disconnect?.()

async function once(): Promise<void> {
  for (;;) {
    try {
      const side = await application.side()
      if (fullShare > 0) side.limit(chance.is(fullShare))
      note({ is: 'try', seq, at: now() })
      const operation = operationOf(seed, writer, seq)
      const done = await side.transaction(
        async (sql) => ({ on: sql.provider, drawn: await perform(sql, { writer, seq }, operation) }),
        'write',
      )
      note({ is: 'ack', seq, at: now(), ...done })
      return
    } catch (error) {
      if (error instanceof Moved) {
        note({ is: 'moved', at: now(), from: application.provider })
        if (!goesOn) {
          stop.abort()
          return
        }
        await application.leave(error)
        continue
      }
      if (error instanceof Unknown) note({ is: 'unknown', seq, error: String(error) })
      else if (isRefusal(error)) note({ is: 'refused', seq, error: String(error) })
      else note({ is: 'failed', error: String((error as Error).stack) })
      if (!isRefusal(error)) await application.leave(error)
      return
    }
  }
}

/** What an application without a graduation would meet as well. */
function isRefusal(error: unknown): boolean {
  const { code = '' } = error as { code?: string }
  return /^(SQLITE_CONSTRAINT|SQLITE_FULL|23|40P01|40001)/.test(code)
}
