import { openSqlite } from '@outgrow/databases'
import { Watchdog } from '../src/steps/live/watchdog.ts'

// Holds a file's write lock, under the watchdog, for a second at most, and is stopped meanwhile.

const database = openSqlite(process.argv[2] ?? '')
const watchdog = await Watchdog.start()
database.exec('BEGIN IMMEDIATE')
watchdog.holds(1000)
process.stdout.write('held\n')
// As Ctrl-Z does, to the whole group, once the watchdog has been told.
setTimeout(() => process.kill(-process.pid, 'SIGTSTP'), 300)
setInterval(() => {}, 1000)
