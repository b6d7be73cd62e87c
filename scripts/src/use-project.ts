import type { Command } from 'commander'
import type { Outcome } from './output/outcome.ts'
import { runCommand } from './output/run.ts'
import { project } from './project.ts'

/** Lets `outgrow.config.ts` give what a command was not asked for: where the schema is. */
export function useProject(program: Command): void {
  program.hook('preAction', async (_, command) => {
    if (command.getOptionValueSource('schema') !== 'default') return
    try {
      const { schema } = await project()
      if (schema !== undefined) command.setOptionValue('schema', schema)
    } catch (error) {
      const { json } = command.opts<{ json?: boolean }>()
      await runCommand<Outcome>(json ?? false, { command: command.name() }, () => Promise.reject(error))
      process.exit()
    }
  })
}
