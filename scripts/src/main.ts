import { existsSync } from 'node:fs'
import { program } from './program.ts'

// What is set in the environment already wins. `dev` has settings of its own: .env may name production.
if (process.argv[2] !== 'dev' && existsSync('.env')) process.loadEnvFile('.env')

// Whoever reads the output may stop early, as `| head` does: that is no bug.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

await program.parseAsync()
