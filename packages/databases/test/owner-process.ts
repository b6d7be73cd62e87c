import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeOwnedFolder } from '@outgrow/databases'

/** Owns a folder with rows in it until it is ended. */
const folder = makeOwnedFolder(process.argv[2] as string)
writeFileSync(join(folder.path, 'database.sqlite'), 'rows in the clear')
process.stdout.write('owned\n')
setInterval(() => folder.path, 1000)
