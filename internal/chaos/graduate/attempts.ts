import { setTimeout as sleep } from 'node:timers/promises'
import { assertNever } from '@outgrow/kit'
import { openSqlite } from '@outgrow/databases'
import type { FaultProxy } from './fault-proxy.ts'
import { startCommand, type CommandEnded, type CommandOptions, type StartedCommand } from './migrator.ts'
import type { Attempt, Outage, PhaseCommand } from './plan.ts'
import type { Variant } from './variants.ts'
import type { CrashingServer } from './server.ts'

/** What the migrator works between. */
export interface Grounds {
  file: string
  folder: string
  /** The target, by the way that is cut. */
  to: string
  server: CrashingServer
  proxy: FaultProxy
  variant: Variant | undefined
  /** After so long a command that nobody disturbs has to have ended, or to follow. */
  patienceMs: number
}

/** How one attempt ended. */
export interface AttemptEnded {
  main: PhaseCommand
  attempt: Attempt
  commands: CommandEnded[]
  /** From its start to its end. */
  ms: number
  /** Processes that were killed. */
  kills: number
  /** What is wrong whatever comes later. */
  wrong: string[]
}

/** Arguments of a command that nobody disturbs. */
function argumentsOf({ file, folder, to }: Grounds, command: PhaseCommand | 'cutover'): string[] {
  const ends = ['--from', file, '--to', to, '--work-dir', folder]
  if (command !== 'graduate') {
    const more = command === 'rollback' ? ['--budget-ms', '1500'] : []
    return ['graduate', command, ...ends, ...more]
  }
  return ['graduate', ...ends, '--schema', 'introspect', '--budget-ms', '400']
}

/** As who is told that writers are too fast is advised to. */
const patientMs = '10000'

/** Lets one attempt happen, with its fault, until its commands have ended. */
export async function runAttempt(
  grounds: Grounds,
  main: PhaseCommand,
  attempt: Attempt,
): Promise<AttemptEnded> {
  const { file, folder, variant, patienceMs } = grounds
  const ended: AttemptEnded = { main, attempt, commands: [], ms: 0, kills: 0, wrong: [] }
  const start = (
    command: PhaseCommand | 'cutover',
    more: string[] = [],
    options: Partial<CommandOptions> = {},
  ) => startCommand([...argumentsOf(grounds, command), ...more], { cwd: folder, variant, ...options })
  const startMain = (options: Partial<CommandOptions> = {}) =>
    start(main, main === 'graduate' ? ['--cutover', 'auto'] : [], options)
  const finish = async (command: StartedCommand, withinMs = patienceMs) => {
    ended.commands.push(await endedWithin(command, withinMs, ended))
  }
  switch (attempt.is) {
    case 'plain':
      await finish(main === 'rollback' ? start(main, ['--budget-ms', patientMs]) : startMain())
      return ended
    case 'die':
      await finish(startMain({ env: { OUTGROW_DIE_AT: `${attempt.at}*${attempt.times}` } }))
      if (ended.commands[0]?.signal === 'SIGKILL') ended.kills++
      return ended
    case 'stop': {
      const command = startMain({
        env: { OUTGROW_DIE_AT: `${attempt.at}*${attempt.times}`, OUTGROW_DIE_BY: 'SIGSTOP' },
      })
      await waitFor(command, () => command.isStopped)
      const { meanwhile, forMs } = attempt
      const outage = meanwhile === undefined ? undefined : happen(grounds, meanwhile)
      await sleep(forMs)
      command.child.kill('SIGCONT')
      await Promise.all([outage, finish(command)])
      return ended
    }
    case 'kill': {
      const command = startMain()
      await waitFor(command, () => false, attempt.afterMs)
      if (command.child.kill('SIGKILL')) ended.kills++
      await finish(command)
      return ended
    }
    case 'outage': {
      const command = startMain()
      await waitFor(command, () => false, attempt.afterMs)
      await Promise.all([happen(grounds, attempt.outage), finish(command)])
      return ended
    }
    case 'full':
      await finish(startMain({ maxFileKilobytes: attempt.kilobytes }))
      return ended
    case 'twice': {
      const first = startMain()
      await waitFor(first, () => false, attempt.afterMs)
      const second = startMain()
      await Promise.all([finish(first), finish(second)])
      return ended
    }
    case 'rehearse':
      await finish(start('graduate', ['--rehearse', String(attempt.times)]))
      return ended
    case 'cancel': {
      const command = start('graduate', ['--cutover', 'manual'])
      await waitFor(command, () => command.hasPrinted('outgrow graduate cutover'))
      await sleep(300)
      command.child.kill('SIGINT')
      await finish(command)
      if (attempt.dies) {
        await finish(start('cancel', [], { env: { OUTGROW_DIE_AT: 'target-dropped' } }))
        ended.kills++
      }
      await finish(start('cancel'))
      return ended
    }
    case 'manual': {
      const command = start('graduate', ['--cutover', 'manual'])
      await waitFor(command, () => command.hasPrinted('outgrow graduate cutover'))
      await finish(start('cutover'))
      if (ended.commands[0]?.code !== 0) command.child.kill('SIGINT')
      await finish(command)
      return ended
    }
    case 'schema-change': {
      const command = startMain()
      await waitFor(command, () => false, attempt.afterMs)
      changeSchema(file, attempt.how)
      await finish(command)
      return ended
    }
    default:
      return assertNever(attempt)
  }
}

/** Until it is so, the command has ended, or too long. */
async function waitFor({ child }: StartedCommand, isSo: () => boolean, withinMs = 60_000): Promise<void> {
  const until = Date.now() + withinMs
  while (!isSo() && child.exitCode === null && child.signalCode === null && Date.now() < until)
    await sleep(10)
}

async function endedWithin(command: StartedCommand, ms: number, ended: AttemptEnded): Promise<CommandEnded> {
  const late = setTimeout(() => {
    ended.wrong.push(`the command did not end within ${ms / 1000} s`)
    command.child.kill('SIGCONT')
    command.child.kill('SIGINT')
    setTimeout(() => command.child.kill('SIGKILL'), 5000).unref()
  }, ms)
  const result = await command.ended
  clearTimeout(late)
  return result
}

async function happen({ server, proxy }: Grounds, outage: Outage): Promise<void> {
  if (outage.is === 'restart') {
    await server.crash(outage.how, outage.forMs)
    return
  }
  proxy.cut(outage.how)
  await sleep(outage.forMs)
  proxy.heal()
}

/** What an administrator does who knows nothing of a graduation. */
function changeSchema(file: string, how: 'vacuum' | 'index'): void {
  const database = openSqlite(file, 10_000)
  try {
    if (how === 'vacuum') database.exec('VACUUM')
    else database.exec('CREATE INDEX IF NOT EXISTS event_writer ON event (writer)')
  } catch {
    // The tables may be gone already.
  } finally {
    database.close()
  }
}
