import { Command } from 'commander'
import { billingCommand } from './commands/billing.ts'
import { demoCommand } from './commands/demo.ts'
import { devCommand } from './commands/dev.ts'
import { doctorCommand } from './commands/doctor.ts'
import { exportCommand } from './commands/export.ts'
import { generateCommand } from './commands/generate.ts'
import { importCommand } from './commands/import.ts'
import { inspectCommand } from './commands/inspect.ts'
import { loadCommand } from './commands/load.ts'
import { migrateCommand } from './commands/migrate.ts'
import { postgresCommand } from './commands/postgres.ts'
import { schemaCommand } from './commands/schema.ts'
import { startCommand } from './commands/start.ts'
import { stripeFakeCommand } from './commands/stripe-fake.ts'
import { transformCommand } from './commands/transform.ts'
import { verifyCommand } from './commands/verify.ts'
import { exit } from './output/exit.ts'

/** The whole command line. Each command is a file of `commands/`. */
export const program = new Command('outgrow')
  .description('Start on SQLite, outgrow it, move to Postgres with one command.')
  .version('0.1.0')
  .showHelpAfterError('Run with --help to see the options.')
  .exitOverride((error) => {
    // Commander ends with 1 on a wrong option; here 1 means a bug.
    process.exit(error.exitCode === 0 ? exit.done : exit.expected)
  })

const commands = [
  generateCommand,
  inspectCommand,
  migrateCommand,
  verifyCommand,
  exportCommand,
  transformCommand,
  importCommand,
  schemaCommand,
  postgresCommand,
  doctorCommand,
  loadCommand,
  billingCommand,
  stripeFakeCommand,
  devCommand,
  startCommand,
  demoCommand,
]
for (const command of commands) program.addCommand(inheriting(command, program))

/** Commander hands settings down only to commands that it has made itself. */
function inheriting(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent)
  for (const child of command.commands) inheriting(child, command)
  return command
}
