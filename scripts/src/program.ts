import { Command } from 'commander'
import manifest from '../package.json' with { type: 'json' }
import { billingCommand } from './commands/billing.ts'
import { doctorCommand } from './commands/doctor.ts'
import { exportCommand } from './commands/export.ts'
import { generateCommand } from './commands/generate.ts'
import { importCommand } from './commands/import.ts'
import { inspectCommand } from './commands/inspect.ts'
import { migrateCommand } from './commands/migrate.ts'
import { postgresCommand } from './commands/postgres.ts'
import { schemaCommand } from './commands/schema.ts'
import { stripeFakeCommand } from './commands/stripe-fake.ts'
import { transformCommand } from './commands/transform.ts'
import { verifyCommand } from './commands/verify.ts'

/** The whole command line. Each command is a file of `commands/`. */
export const program = new Command('outgrow')
  .description('Start on SQLite, outgrow it, move to Postgres with one command.')
  .version(manifest.version)

export const commands = [
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
  billingCommand,
  stripeFakeCommand,
]
