import { Command } from 'commander'
import { captureCommand } from './capture.ts'
import { clientCommand } from './client.ts'
import { liveCommand } from './live.ts'
import { moveCommand } from './move.ts'
import { pagesCommand } from './pages.ts'
import { webhooksCommand } from './webhooks/command.ts'

await new Command('bench')
  .description(
    'Measures alternatives side by side on the same work. Trust the ratios of medians: machines drift.',
  )
  .addCommand(moveCommand)
  .addCommand(liveCommand)
  .addCommand(clientCommand)
  .addCommand(captureCommand)
  .addCommand(webhooksCommand)
  .addCommand(pagesCommand)
  .parseAsync()
