import {
  chooseMoveTarget,
  runMove,
  undoUnfinished,
  type MoveRun,
  type MoveTarget,
  type Rendered,
  type Report,
} from '@outgrow/graduate'
import { givenTarget, runSettings, type ReaderOption, type SharedOptions } from './move-options.ts'
import type { CommandContext } from './output/run.ts'
import { moveListener, printTarget, printUndone } from './render/move.ts'

/** Options of the commands that fill a target. */
export interface FillOptions extends SharedOptions, ReaderOption {
  to?: string
  resume?: boolean
  restart?: boolean
  acceptQuarantine?: boolean
  switch?: string
  baseline?: boolean
}

/** What differs between the commands that fill a target. */
interface Filling {
  command: 'migrate' | 'import'
  from: string
  rendered?: Rendered
}

/** Moves into the target that the options name, or into a new one, and prints it. */
export async function fillTarget(
  { command, from, rendered }: Filling,
  options: FillOptions,
  { terminal, signal }: CommandContext,
): Promise<Report> {
  const unfinished = options.restart ? 'restart' : options.resume ? 'resume' : 'refuse'
  const settings = runSettings(options, from, signal, rendered?.options)
  settings.readSchema() // before a server starts for it
  const target = await targetOf(options, from, unfinished)
  if (target.made !== undefined) printTarget(terminal, target.made, options.workDir)
  const request: MoveRun = {
    ...settings,
    command,
    target,
    rendered,
    reader: options.reader,
    writesHistory: options.schema !== 'introspect' || options.baseline === true,
    unfinished,
    acceptQuarantine: options.acceptQuarantine ?? false,
    switch: options.switch === undefined ? undefined : { file: options.switch, schema: options.schema },
  }
  const { done, ...listener } = moveListener(terminal)
  return runMove(request, listener).finally(done)
}

/** Undoes what is unfinished in the target that the options name. */
export async function abortMove(
  options: FillOptions,
  from: string,
  { terminal }: CommandContext,
): Promise<void> {
  const { url } = await targetOf(options, from, 'abort')
  printUndone(terminal, await undoUnfinished(url))
}

async function targetOf(
  { to, workDir }: FillOptions,
  from: string,
  unfinished: MoveRun['unfinished'] | 'abort',
): Promise<MoveTarget> {
  return chooseMoveTarget({ to: await givenTarget(to), from, workDir, unfinished })
}
