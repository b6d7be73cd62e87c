import { Command } from 'commander'
import manifest from '../package.json' with { type: 'json' }

/** The whole command line. */
export const program = new Command('outgrow')
  .description('Start on SQLite, outgrow it, move to Postgres with one command.')
  .version(manifest.version)

/** Each command is a file of `commands/`, and loaded with all that it needs when it is asked for. */
const commands: Record<string, () => Promise<Command>> = {
  generate: async () => (await import('./commands/generate.ts')).generateCommand,
  inspect: async () => (await import('./commands/inspect.ts')).inspectCommand,
  graduate: async () => (await import('./commands/graduate.ts')).graduateCommand,
  migrate: async () => (await import('./commands/migrate.ts')).migrateCommand,
  verify: async () => (await import('./commands/verify.ts')).verifyCommand,
  export: async () => (await import('./commands/export.ts')).exportCommand,
  transform: async () => (await import('./commands/transform.ts')).transformCommand,
  import: async () => (await import('./commands/import.ts')).importCommand,
  schema: async () => (await import('./commands/schema.ts')).schemaCommand,
  postgres: async () => (await import('./commands/postgres.ts')).postgresCommand,
  pool: async () => (await import('./commands/pool.ts')).poolCommand,
  backup: async () => (await import('./commands/backup.ts')).backupCommand,
  restore: async () => (await import('./commands/restore.ts')).restoreCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  monitor: async () => (await import('./commands/monitor.ts')).monitorCommand,
  billing: async () => (await import('./commands/billing.ts')).billingCommand,
  'stripe-fake': async () => (await import('./commands/stripe-fake.ts')).stripeFakeCommand,
}

/** The command that an argument names; all of them for help, or to say what a wrong name was meant to be. */
export async function commandsFor(argument = '--help'): Promise<Command[]> {
  if (argument === '--version' || argument === '-V') return []
  const named = Object.hasOwn(commands, argument) ? commands[argument] : undefined
  return Promise.all((named ? [named] : Object.values(commands)).map((load) => load()))
}
