import { openSqlite } from '@outgrow/databases'
import { Watchdog } from '../src/steps/live/watchdog.ts'

// Holds a file's write lock, under the watchdog, for a second at most.

const database = openSqlite(process.argv[2] ?? '')
const watchdog = await Watchdog.start()
database.exec('BEGIN IMMEDIATE')
watchdog.holds(1000)
setTimeout(() => process.stdout.write('held\n'), 300)
setInterval(() => {}, 1000)
