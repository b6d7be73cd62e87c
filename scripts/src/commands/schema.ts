import { Command } from 'commander'
import { baselineCommand } from './schema/baseline.ts'
import { deployCommand } from './schema/deploy.ts'
import { lintCommand } from './schema/lint.ts'
import { migrateCommand } from './schema/migrate.ts'
import { pullCommand } from './schema/pull.ts'
import { resolveCommand } from './schema/resolve.ts'
import { statusCommand } from './schema/status.ts'

export const schemaCommand = new Command('schema')
  .summary('migrations for both databases, and schemas from files')
  .addCommand(migrateCommand)
  .addCommand(deployCommand)
  .addCommand(statusCommand)
  .addCommand(resolveCommand)
  .addCommand(baselineCommand)
  .addCommand(pullCommand)
  .addCommand(lintCommand)
