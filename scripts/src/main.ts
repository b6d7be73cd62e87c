import { existsSync } from 'node:fs'
import { program } from './program.ts'

// What is set in the environment already wins.
if (existsSync('.env')) process.loadEnvFile('.env')

// Whoever reads the output may stop early, as `| head` does: that is no bug.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

await program.parseAsync()
