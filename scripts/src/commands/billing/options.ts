import type { Command } from 'commander'

export interface BillingOptions {
  database?: string
  dryRun?: boolean
  json?: boolean
}

/** What every billing command takes. */
export function withBillingOptions(command: Command, takesDryRun: boolean): Command {
  command.option('--database <url>', 'file: or postgresql: URL (default: DATABASE_URL)')
  if (takesDryRun) command.option('--dry-run', 'say what would be done, and do nothing')
  return command.option('--json', 'print one JSON document on stdout')
}
