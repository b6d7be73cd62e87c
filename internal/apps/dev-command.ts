import { Command } from 'commander'
import type { Outcome } from 'outgrow/output/outcome'
import { runCommand } from 'outgrow/output/run'
import type { DevOptions } from './run-dev.ts'

export const devCommand = new Command('dev')
  .summary('the example SaaS on this machine: web, worker, console and a stand-in for Stripe')
  .description(
    'Starts everything with seeded data, on an SQLite file of its own or on the database given by --database, starts an app again when its sources change, and stops it all on Ctrl-C. Migrations are applied first. No money moves. Neither .env nor DATABASE_URL is read: they may name production.',
  )
  .option('--port <n>', 'port of the web app; worker, console and stand-in follow', '3000')
  .option('--database <url>', 'a database on this machine, file: or postgresql:, without live events')
  .option('--work-dir <folder>', 'where data, signs and runs are kept', '.outgrow')
  .option('--json', 'print one JSON document on stdout at the end')
  .addHelpText(
    'after',
    `
Examples:
  pnpm dev
  pnpm dev --database postgresql://app@127.0.0.1:5432/app_dev
  pnpm dev --port 4000`,
  )
  .action((options: DevOptions) =>
    runCommand<Outcome>(options.json ?? false, { command: 'dev' }, async (context) => {
      const { dev } = await import('./run-dev.ts')
      return dev(options, context)
    }),
  )
