// `pnpm demo`, `pnpm dev`, `pnpm start`, `pnpm load`: what belongs to this repository and is not published.
import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { runProgram } from 'outgrow/run-program'
import { devCommand } from './apps/dev-command.ts'
import { startCommand } from './apps/start-command.ts'
import { demoCommand } from './demo/demo-command.ts'
import { loadCommand } from './load/load-command.ts'

// `dev` has settings of its own: .env may name production.
if (process.argv[2] !== 'dev' && existsSync('.env')) process.loadEnvFile('.env')

await runProgram(new Command('pnpm'), [demoCommand, devCommand, startCommand, loadCommand])
