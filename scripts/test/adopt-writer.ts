import { connectSql } from '@outgrow/databases'

// An application that stores events as fast as it can, and marks them as processed, until it is asked how that went.
const connection = await connectSql(process.argv[2] ?? '')
const asked = new AbortController()
let written = 0
process.on('message', () => asked.abort())
process.send?.('ready')
while (!asked.signal.aborted) {
  await connection.query('INSERT INTO events (event_id, body) VALUES (?, ?)', [`evt_new_${written}`, '{}'])
  await connection.query('UPDATE events SET done = 1 WHERE event_id = ?', [`evt_new_${written}`])
  written++
  await new Promise((resolve) => setTimeout(resolve, 2)) // messages come in
}
await connection.close()
process.send?.({ written })
process.disconnect()
