import { openSqlite } from '@outgrow/databases'
import { settle } from '../src/flows/live/follow.ts'
import { openSession } from '../src/flows/live/open-session.ts'
import { hold, prepareHold } from '../src/steps/live/hold.ts'

// Switches while the server stands still for 12 s.

const [from = '', to = ''] = process.argv.slice(2)
const none = () => {}
const { signal } = new AbortController()
const session = await openSession({ from, to, progress: none, signal })
await settle(session, none)
const prepared = await prepareHold(session)
const application = openSqlite(from)
application.exec(`INSERT INTO t VALUES (9, 'x')`)
const { processID } = session.target.client as unknown as { processID: number }
process.stdout.write(`backend ${processID}\n`)
process.kill(processID, 'SIGSTOP')
setTimeout(() => process.kill(processID, 'SIGCONT'), 12_000)
setTimeout(() => {
  application.exec(`INSERT INTO t VALUES (10, 'y')`)
  process.stdout.write('written\n')
}, 2500)
await hold(session, prepared, { kind: 'cutover', budgetMs: 100 }).catch((error: Error) =>
  process.stdout.write(`${error.message}\n`),
)
process.exit()
