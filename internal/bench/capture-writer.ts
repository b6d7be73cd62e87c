import { createHash } from 'node:crypto'
import { openSqlite } from '@outgrow/databases'
import { captureSchemas, type CaptureSchema, type WriterAnswer, type WriterOrder } from './capture-schemas.ts'

// A process that writes single-row transactions when it is told to, and says when it is done.

const [path = '', kind = 'integer', writer = '0'] = process.argv.slice(2)
const database = openSqlite(path, 60_000)
database.pragma('synchronous = NORMAL')
const { insert, update, remove } = captureSchemas[kind as CaptureSchema['kind']]
const statements = {
  insert: database.prepare(insert),
  update: database.prepare(update),
  remove: database.prepare(remove),
}

/** Ids of one writer are nobody else's. */
const idOf = (at: number) =>
  kind === 'integer'
    ? at * 8 + Number(writer) + 1
    : `c${createHash('md5').update(`${writer}-${at}`).digest('hex').slice(0, 24)}`

let inserted = 0

/** Of ten: five inserts, four updates, one delete. */
function write(at: number): void {
  const some = idOf((at * 7919) % Math.max(1, inserted))
  if (at % 10 < 5) {
    const id = idOf(inserted++)
    statements.insert.run({ id, email: `${id}@example.com`, name: `Name ${at % 1000}`, at })
  } else if (at % 10 < 9) statements.update.run({ id: some, at })
  else statements.remove.run({ id: some })
}

process.on('message', ({ operations }: WriterOrder) => {
  const before = process.cpuUsage()
  for (let at = 0; at < operations; at++) write(at)
  const { user, system } = process.cpuUsage(before)
  process.send?.({ cpuMicros: user + system } satisfies WriterAnswer)
})
process.send?.('ready')
