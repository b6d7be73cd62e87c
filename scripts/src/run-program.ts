import type { Command } from 'commander'
import { exit } from '@outgrow/kit'

/** Runs a command line made of commands: one exit status and one way of help for all of them. */
export async function runProgram(program: Command, commands: Command[]): Promise<void> {
  endQuietly()
  await withCommands(program, commands).parseAsync()
}

/** Adds commands to a program, with its settings. */
export function withCommands(program: Command, commands: Command[]): Command {
  program.showHelpAfterError('Add --help for the options.').exitOverride((error) => {
    // Commander ends with 1 on a wrong option; here 1 means a bug.
    process.exit(error.exitCode === 0 ? exit.done : exit.expected)
  })
  for (const command of commands) program.addCommand(inheriting(command, program))
  return program
}

/** Commander hands settings down only to commands that it has made itself. */
function inheriting(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent)
  for (const child of command.commands) inheriting(child, command)
  return command
}

/** Whoever reads the output may stop early, as `| head` does: that is no bug. */
function endQuietly(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
}
