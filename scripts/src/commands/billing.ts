import { Command } from 'commander'
import { adoptInboxCommand } from './billing/adopt-inbox.ts'
import { deadLettersCommand } from './billing/dead-letters.ts'
import { initCommand } from './billing/init.ts'
import { linkCommand } from './billing/link.ts'
import { plansCommand } from './billing/plans.ts'
import { pruneCommand } from './billing/prune.ts'
import { reconcileCommand } from './billing/reconcile.ts'
import { replayCommand } from './billing/replay.ts'
import { statusCommand } from './billing/status.ts'

export const billingCommand = new Command('billing').description(
  'Stripe: see what arrived and what became of it, and repair it.',
)
for (const command of [
  initCommand,
  plansCommand,
  statusCommand,
  reconcileCommand,
  linkCommand,
  replayCommand,
  deadLettersCommand,
  pruneCommand,
  adoptInboxCommand,
]) {
  billingCommand.addCommand(command)
}
