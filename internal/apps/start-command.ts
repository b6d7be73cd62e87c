import { Command } from 'commander'
import type { Outcome } from 'outgrow/output/outcome'
import { runCommand } from 'outgrow/output/run'
import type { StartOptions } from './run-start.ts'

export const startCommand = new Command('start')
  .summary('the built web, worker and console, configured by the environment')
  .description(
    'Starts the production build of the three apps (from pnpm build) and stops them all on Ctrl-C or SIGTERM. Apply migrations first: outgrow schema deploy.',
  )
  .option('--port <n>', 'port of the web app; worker and console follow', '3000')
  .option('--work-dir <folder>', 'where signs and runs are kept', '.outgrow')
  .option('--json', 'print one JSON document on stdout at the end')
  .addHelpText(
    'after',
    `
Example:
  pnpm build && pnpm start --port 8080

Reads DATABASE_URL, APP_URL, AUTH_SECRET, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, PRICE_PRO, PRICE_TEAM, SMTP_URL and CONSOLE_TOKEN from the environment or .env.`,
  )
  .action((options: StartOptions) =>
    runCommand<Outcome>(options.json ?? false, { command: 'start' }, async (context) => {
      const { start } = await import('./run-start.ts')
      return start(options, context)
    }),
  )
