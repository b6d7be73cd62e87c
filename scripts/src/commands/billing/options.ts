import { Failure } from '@outgrow/kit'
import type { Command } from 'commander'

export interface BillingOptions {
  database?: string
  dryRun?: boolean
  json?: boolean
}

/** What every billing command takes. */
export function withBillingOptions(command: Command, takesDryRun: boolean): Command {
  command.option('--database <url>', 'file: or postgresql: URL (default: DATABASE_URL)')
  if (takesDryRun) command.option('--dry-run', 'show what would be done and change nothing')
  return command.option('--json', 'print one JSON document on stdout')
}

/** @throws Failure OUTGROW_OPTION_INVALID */
export function daysOf(text: string): number {
  const days = Number(text)
  if (text.trim() !== '' && days >= 0 && days <= 36_500) return days
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `--days ${text} is not a number of days.`,
    fix: 'For example --days 90.',
  })
}

/** The words of a list with commas, in small letters. */
export function listOf(text: string): string[] {
  return text.split(',').map((word) => word.trim().toLowerCase())
}

/** @throws Failure OUTGROW_OPTION_INVALID */
export function dateOf(text: string | undefined, option = '--since'): Date | undefined {
  if (text === undefined) return undefined
  const date = new Date(text)
  if (!Number.isNaN(date.getTime())) return date
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `${option} ${text} is not a date.`,
    fix: 'Write it as 2026-01-31 or 2026-01-31T10:00:00Z.',
  })
}
