import type { Command } from 'commander'
import { Failure } from '@outgrow/kit'
import type { Outcome } from './output/outcome.ts'
import { runCommand } from './output/run.ts'

/**
 * Has a command refuse its own options beside a subcommand that does not declare them: commander reads them for the parent,
 * wherever they stand, and the subcommand would do its work as if they were not there.
 */
export function refusingUnread(parent: Command): Command {
  return parent.hook('preAction', async (_, command) => {
    if (command === parent) return
    const { json = false } = command.optsWithGlobals<{ json?: boolean }>()
    const unread = parent.options.find(
      (option) =>
        parent.getOptionValueSource(option.attributeName()) === 'cli' &&
        !command.options.some(({ long }) => long === option.long),
    )
    if (unread === undefined) return
    const name = `${parent.name()} ${command.name()}`
    const failure = new Failure({
      code: 'OUTGROW_OPTION_INVALID',
      message: `${unread.long} is no option of ${name}.`,
      fix: `Leave it out; outgrow ${name} --help has the options.`,
    })
    await runCommand<Outcome>(json, { command: name }, () => Promise.reject(failure))
    process.exit()
  })
}
