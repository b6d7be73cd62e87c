import { Command } from 'commander'
import type { Report } from '@outgrow/graduate'
import type { Outcome } from 'outgrow/output/outcome'
import { runCommand } from 'outgrow/output/run'

export const demoCommand = new Command('demo')
  .summary('watch the whole journey on a demo database')
  .description(
    'Seeds an SQLite database through the client, adds the dirty data of years of use, inspects it, moves it into an embedded PostgreSQL, verifies it, and runs the same application code on both.',
  )
  .option('--json', 'print one JSON document on stdout')
  .action((options: { json?: boolean }) =>
    runCommand<Outcome & { inspect: Report | null; migrate: Report | null; verify: Report | null }>(
      options.json ?? false,
      { command: 'demo', inspect: null, migrate: null, verify: null },
      async (context) => {
        const { demo } = await import('./run-demo.ts')
        return demo(context)
      },
    ),
  )
