import { existsSync } from 'node:fs'
import { commandsFor, program } from './program.ts'
import { runProgram } from './run-program.ts'
import { useProject } from './use-project.ts'

if (existsSync('.env')) process.loadEnvFile('.env') // what is set in the environment already wins

useProject(program)
await runProgram(program, await commandsFor(process.argv[2]))
