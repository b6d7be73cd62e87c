import type { Adoption } from '@outgrow/billing/adopt'
import { Command } from 'commander'
import { adoptIntoProject } from '../../billing/adopt-into-project.ts'
import { withColumnOptions, adoptRequestOf, type ColumnOptions } from '../../billing/adopt-options.ts'
import { directUrl } from '../../billing/context.ts'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { adoptionProgress, printAdopted } from '../../render/adoption.ts'
import { scratchOf, shadowOption, type ShadowOptions } from '../schema/shared.ts'
import { withBillingOptions, type BillingOptions } from './options.ts'

type Options = BillingOptions &
  ColumnOptions &
  ShadowOptions & { schema?: string; account?: string; prefix: string }

type Document = Outcome & { adoption: Adoption | null; files: string[]; next: string[] }

export const adoptInboxCommand = withColumnOptions(withBillingOptions(new Command('adopt-inbox'), true))
  .summary('bring an application that has webhooks of its own to the inbox')
  .description(
    'Adds the inbox to a project’s schema, with a migration for each database, and imports the events stored elsewhere, each one once. Events known to be processed are marked done, those whose payload cannot be read dead, all others pending; rows without a valid signature stay behind. Works in short transactions while the application goes on writing. Safe to run again: it continues, and takes what has arrived since.',
  )
  .option('--schema <path>', 'Prisma schema that gets the models (default: only the database gets the inbox)')
  .option('--account <model>', 'the model that pays: adds all of billing’s models, as billing init does')
  .option('--prefix <name>', 'put before names that are taken', 'Billing')
  .addOption(shadowOption())
  .addHelpText(
    'after',
    `
Examples:
  outgrow billing adopt-inbox --preset pay --schema prisma/schema.prisma --account User --dry-run
  outgrow billing adopt-inbox --table stripe_events --column event_id --payload body --done processed_at
  outgrow billing adopt-inbox --table stripe.events --column id --payload body --schema prisma/schema.prisma

Exit status: 0 done, 2 refused; nothing was changed then, 3 stopped; run it again to continue, 4 done, but rows stayed behind or are dead.`,
  )
  .action((options: Options) =>
    runCommand<Document>(
      options.json ?? false,
      { command: 'billing adopt-inbox', adoption: null, files: [], next: [] },
      async ({ terminal, signal }) => {
        const { dryRun = false, schema, account, prefix } = options
        const project = { databaseUrl: await directUrl(options.database), schema, account, prefix }
        const request = adoptRequestOf(options)
        const progress = adoptionProgress(terminal)
        const run = { dryRun, scratch: scratchOf(options), signal, onProgress: progress.show }
        const adopted = await adoptIntoProject(project, request, run).finally(progress.end)
        const shown = printAdopted(terminal, adopted, project, dryRun)
        const { adoption, hasLeftovers } = adopted
        return outcome('billing adopt-inbox', { adoption, ...shown }, !hasLeftovers)
      },
      { why: 'What was taken over stays.', fix: 'Run the command again: it continues.' },
    ),
  )
