import { connectSql } from '@outgrow/databases'

// An application that stores events as fast as it can, and marks them as processed, until it is asked how that went.
const connection = await connectSql(process.argv[2] ?? '')
const asked = new AbortController()
let longestMs = 0
let written = 0
process.on('message', () => asked.abort())
process.send?.('ready')
while (!asked.signal.aborted) {
  const began = performance.now()
  await connection.query('INSERT INTO events (event_id, body) VALUES (?, ?)', [`evt_new_${written}`, '{}'])
  await connection.query('UPDATE events SET done = 1 WHERE event_id = ?', [`evt_new_${written}`])
  longestMs = Math.max(longestMs, performance.now() - began)
  written++
  await new Promise((resolve) => setTimeout(resolve, 2)) // messages come in
}
await connection.close()
process.send?.({ written, longestMs })
process.disconnect()
