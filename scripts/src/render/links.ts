import type { CustomerLink } from '@outgrow/billing'
import type { Terminal } from '../output/terminal.ts'

/** Who belongs to which account now. */
export function printLinks(
  terminal: Terminal,
  { linked, notOurs }: { linked: CustomerLink[]; notOurs: string | null },
  dryRun: boolean,
): void {
  for (const { stripeCustomerId, accountId } of linked)
    terminal.line(`${stripeCustomerId} ${dryRun ? 'could belong' : 'belongs'} to account ${accountId}.`)
  if (notOurs !== null) terminal.line(`${notOurs} ${dryRun ? 'would not be' : 'is not'} reported any more.`)
  if (dryRun) terminal.line('Dry run: nothing was changed.')
}
