import { Option, type Command } from 'commander'
import { Failure } from '@outgrow/kit'
import type { GraduateRun, RunSettings } from '@outgrow/graduate'
import { givenTarget, schemaOf, type ReaderOption, type SharedOptions } from './move-options.ts'
import { numberOf } from './number-option.ts'

export interface GraduateOptions extends SharedOptions, ReaderOption {
  to?: string
  cutover: string
  at?: string
  budgetMs?: string
  rehearse?: string | true
  maxLog?: string
  stopWrites?: boolean
  leaveBehind?: boolean
  onCutover?: string
  onCutoverSeconds: string
  baseline?: boolean
}

/** Options of the commands that look at a graduation, or change one that is under way. */
export interface EndsOptions {
  from?: string
  to?: string
  workDir: string
  json?: boolean
}

export function withEnds(command: Command): Command {
  return command
    .option('--from <file>', 'SQLite file, as file: URL or path (default: DATABASE_URL)')
    .option('--to <url>', 'Postgres URL (default: POSTGRES_URL)')
    .addOption(new Option('--work-dir <folder>', 'where the files of runs are kept').default('.outgrow'))
    .option('--json', 'print one JSON document on stdout')
}

/**
 * Options of the parent are read by the parent, wherever they stand: what both have is taken from whoever was given it.
 * @param command as commander passes it to an action
 */
export function endsOf(command: Command): EndsOptions {
  const [own, parents] = [command.opts<EndsOptions>(), command.parent?.opts<EndsOptions>()]
  const given = (name: keyof EndsOptions) =>
    command.getOptionValueSource(name) === 'default' || own[name] === undefined
      ? (parents?.[name] ?? own[name])
      : own[name]
  const from = given('from') as string | undefined
  const to = given('to') as string | undefined
  return {
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    workDir: given('workDir') as string,
    json: (given('json') as boolean | undefined) ?? false,
  }
}

/** @throws Failure OUTGROW_OPTION_INVALID and what `givenTarget` throws */
export async function requiredTarget(to: string | undefined): Promise<string> {
  const target = await givenTarget(to)
  if (target !== undefined) return target
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: 'No target was given.',
    why: 'The application goes on in it, so it must be a server that is there to stay.',
    fix: 'Pass --to with a Postgres URL, or set POSTGRES_URL.',
  })
}

/** @throws Failure OUTGROW_OPTION_INVALID */
export function graduateRun(options: GraduateOptions, settings: RunSettings, to: string): GraduateRun {
  const { rehearse, onCutover, stopWrites = false, leaveBehind = false } = options
  return {
    ...settings,
    // A migration meanwhile has the copy begin again, with what the schema is by then.
    readSchema: () => schemaOf({ ...options, from: settings.from }),
    to,
    reader: options.reader,
    cutover: cutoverOf(options),
    budgetMs: budgetOf(options.budgetMs),
    stopsWrites: stopWrites,
    leavesBehind: leaveBehind,
    rehearsals:
      rehearse === undefined
        ? undefined
        : rehearse === true
          ? 1
          : numberOf('rehearse', rehearse, { least: 1, most: 10_000, isWhole: true }),
    maxLog:
      options.maxLog === undefined
        ? undefined
        : numberOf('max-log', options.maxLog, { least: 1000, isWhole: true }),
    writesHistory: options.schema !== 'introspect' || options.baseline === true,
    onCutover:
      onCutover === undefined
        ? undefined
        : {
            command: onCutover,
            deadlineMs: numberOf('on-cutover-seconds', options.onCutoverSeconds, { least: 1 }) * 1000,
          },
  }
}

export function budgetOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : numberOf('budget-ms', text, { least: 1, most: 3_600_000 })
}

function cutoverOf({ cutover, at }: GraduateOptions): GraduateRun['cutover'] {
  if (at !== undefined) {
    const time = new Date(at)
    if (!Number.isNaN(time.getTime())) return time
    throw new Failure({
      code: 'OUTGROW_OPTION_INVALID',
      message: `--at ${at} is not a time.`,
      fix: 'For example --at 2026-12-01T03:00:00Z.',
    })
  }
  if (cutover === 'auto' || cutover === 'manual') return cutover
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `--cutover ${cutover} is neither auto nor manual.`,
    fix: 'For a time use --at.',
  })
}
