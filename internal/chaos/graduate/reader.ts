/** A process of the application that reads: `reader.ts <request as JSON>`. It ends with SIGTERM. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Application, type ProcessRequest } from './follow-authority.ts'
import { now, openLedger, type Seen } from './ledger.ts'
import { counters } from './schema.ts'
import { Moved, type Sql } from './sql.ts'

const request = JSON.parse(process.argv[2] ?? '') as ProcessRequest
const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())
process.on('disconnect', () => process.exit())
const note = openLedger(request.ledger)
const application = new Application(request)

while (!stop.signal.aborted) {
  try {
    const side = await application.side()
    const begunAt = now()
    const seen = await side.transaction(look, 'read')
    note({ begunAt, endedAt: now(), ...seen })
  } catch (error) {
    if (error instanceof Moved && !request.goesOn) break
    // A connection that was lost is no fault of what it asked.
    const { code = '' } = error as { code?: string }
    if (!(error instanceof Moved) && (code.startsWith('SQLITE') || code.startsWith('OUTGROW')))
      note({ failed: String(error) })
    await application.leave(error)
  }
  await sleep(15)
}
await application.close()
process.disconnect?.()

async function look(sql: Sql): Promise<Omit<Seen, 'begunAt' | 'endedAt'>> {
  const number = async (text: string, values?: unknown[]) => Number((await sql.get(text, values))?.n ?? 0)
  const seen: Omit<Seen, 'begunAt' | 'endedAt'> = {
    on: sql.provider,
    counters: {},
    newest: {},
    balance: await number('SELECT sum(balance) AS n FROM account'),
    torn: await number(
      'SELECT count(*) AS n FROM (SELECT owner FROM bulk GROUP BY owner HAVING min(round) <> max(round)) AS mixed',
    ),
    orphans: await number(
      'SELECT count(*) AS n FROM part WHERE NOT EXISTS (SELECT 1 FROM item WHERE item.id = part.item_id)',
    ),
  }
  for (const name of counters)
    seen.counters[name] = await number('SELECT value AS n FROM counter WHERE name = ?', [name])
  for (let writer = 0; writer < 4; writer++)
    seen.newest[writer] = await number('SELECT max(seq) AS n FROM op WHERE writer = ?', [writer])
  return seen
}
