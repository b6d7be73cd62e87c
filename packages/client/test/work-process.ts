import { openSample } from '@outgrow/sample'
import { work } from './ledger.ts'

/** An application of its own, which works until its input ends: `node work-process.ts <url> <mark>`. */
const [url = '', mark = ''] = process.argv.slice(2)
const database = await openSample(url)
let isStopped = false
process.stdin.once('end', () => (isStopped = true)).resume()
const ledger = await work(database, mark, () => isStopped)
const { provider } = database
await database.close()
process.stdout.write(JSON.stringify({ ...ledger, provider }))
