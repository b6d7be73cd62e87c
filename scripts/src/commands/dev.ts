import { Command } from 'commander'
import { runCommand, type Outcome } from '../output/run.ts'

export interface DevOptions {
  port: string
  workDir: string
  json?: boolean
}

export const devCommand = new Command('dev')
  .summary('the example SaaS on this machine: web, worker, console and a stand-in for Stripe')
  .description(
    'Starts everything with seeded data, on SQLite or on the Postgres of DATABASE_URL, and stops it all on Ctrl-C. Migrations are applied first. No money moves.',
  )
  .option('--port <n>', 'port of the web app; worker, console and stand-in follow', '3000')
  .option('--work-dir <folder>', 'where data, signs and runs are kept', '.outgrow')
  .option('--json', 'print one JSON document on stdout at the end')
  .addHelpText(
    'after',
    `
Examples:
  outgrow dev
  DATABASE_URL=postgresql://app:secret@127.0.0.1:5432/app outgrow dev
  outgrow dev --port 4000`,
  )
  .action((options: DevOptions) =>
    runCommand<Outcome>(options.json ?? false, { command: 'dev' }, async (context) => {
      const { dev } = await import('../apps/run-dev.ts')
      return dev(options, context)
    }),
  )
