import { openSample } from '@outgrow/sample'

/** A script that never closes what it has opened: `node open-and-leave.ts <url>`. */
const database = await openSample(process.argv[2] ?? '')
await database.client.label.count()
process.stdout.write(database.provider)
