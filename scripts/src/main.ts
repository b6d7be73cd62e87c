import { existsSync } from 'node:fs'
import { program } from './program.ts'

// What is set in the environment already wins.
if (existsSync('.env')) process.loadEnvFile('.env')

await program.parseAsync()
