/** The restore_command of a server that recovers: `restore-wal <socket> <path> <name>`; asks the command that restores. */
import { writeFileSync } from 'node:fs'
import { get } from 'node:http'

/** Not there: the server takes it for the end of the archive. */
const missing = 1
/** Ends recovery. Any status up to 125 would be the end of the archive, too. */
const stop = 126

const [socketPath = '', path = '', name = ''] = process.argv.slice(2)
process.exitCode = stop
const request = get({ socketPath, path: `/${name}` }, (response) => {
  const pieces: Buffer[] = []
  response.on('data', (bytes: Buffer) => pieces.push(bytes))
  response.on('error', (error) => process.stderr.write(`outgrow restore-wal: ${error.message}\n`))
  response.on('end', () => {
    if (response.statusCode === 404) process.exitCode = missing
    if (response.statusCode !== 200) return
    writeFileSync(path, Buffer.concat(pieces), { flush: true, mode: 0o600 })
    process.exitCode = 0
  })
})
request.on('error', (error) => process.stderr.write(`outgrow restore-wal: ${error.message}\n`))
