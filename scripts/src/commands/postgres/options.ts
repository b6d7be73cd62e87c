import type { Command } from 'commander'

export interface PostgresOptions {
  workDir: string
  json?: boolean
}

/** What every command of the embedded PostgreSQL takes. */
export function withPostgresOptions(command: Command): Command {
  return command
    .option('--work-dir <folder>', 'where the embedded PostgreSQL lives', '.outgrow')
    .option('--json', 'print one JSON document on stdout')
}
