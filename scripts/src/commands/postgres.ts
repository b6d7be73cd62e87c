import { Command } from 'commander'
import { dropCommand } from './postgres/drop.ts'
import { listCommand } from './postgres/list.ts'
import { startCommand } from './postgres/start.ts'
import { stopCommand } from './postgres/stop.ts'

export const postgresCommand = new Command('postgres')
  .summary('the embedded PostgreSQL of the work folder')
  .addHelpText(
    'after',
    '\nExamples:\n  outgrow postgres start\n  outgrow postgres list\n  outgrow postgres drop app_20260131102030\n  outgrow postgres stop',
  )
  .addCommand(startCommand)
  .addCommand(stopCommand)
  .addCommand(listCommand)
  .addCommand(dropCommand)
