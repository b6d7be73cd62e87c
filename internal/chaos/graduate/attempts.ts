import { setTimeout as sleep } from 'node:timers/promises'
import { assertNever } from '@outgrow/kit'
import { openSqlite } from '@outgrow/databases'
import type { FaultProxy } from './fault-proxy.ts'
import { startCommand, type CommandEnded, type CommandOptions, type StartedCommand } from './migrator.ts'
import type { Attempt, Outage } from './plan.ts'
import type { CrashingServer } from './server.ts'

/** What the migrator works between. */
export interface Grounds {
  file: string
  folder: string
  /** The target, by the way that is cut. */
  to: string
  server: CrashingServer
  proxy: FaultProxy
  imports: string[]
}

/** How one attempt ended. */
export interface AttemptEnded {
  attempt: Attempt
  commands: CommandEnded[]
  /** Processes that were killed. */
  kills: number
  /** What is wrong whatever comes later. */
  wrong: string[]
}

/** After so long a command that nobody disturbs has to have ended, or to follow. */
const patienceMs = 60_000

/** Lets one attempt happen, with its fault, until its commands have ended. */
export async function runAttempt(grounds: Grounds, attempt: Attempt): Promise<AttemptEnded> {
  const { file, folder, to, imports } = grounds
  const ended: AttemptEnded = { attempt, commands: [], kills: 0, wrong: [] }
  const ends = ['--from', file, '--to', to, '--work-dir', folder]
  const start = (more: string[], options: Partial<CommandOptions> = {}) =>
    startCommand(
      more.length === 1
        ? ['graduate', ...more, ...ends]
        : ['graduate', ...ends, '--schema', 'introspect', ...more],
      { cwd: folder, imports, ...options },
    )
  const auto = ['--cutover', 'auto', '--budget-ms', '400']
  const finish = async (command: StartedCommand, withinMs = patienceMs) => {
    ended.commands.push(await endedWithin(command, withinMs, ended))
  }
  switch (attempt.is) {
    case 'plain':
      await finish(start(auto))
      return ended
    case 'die':
      await finish(start(auto, { env: { OUTGROW_DIE_AT: `${attempt.at}*${attempt.times}` } }))
      if (ended.commands[0]?.signal === 'SIGKILL') ended.kills++
      return ended
    case 'stop': {
      const command = start(auto, {
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
      const command = start(auto)
      await waitFor(command, () => false, attempt.afterMs)
      if (command.child.kill('SIGKILL')) ended.kills++
      await finish(command)
      return ended
    }
    case 'outage': {
      const command = start(auto)
      await waitFor(command, () => false, attempt.afterMs)
      await Promise.all([happen(grounds, attempt.outage), finish(command)])
      return ended
    }
    case 'full':
      await finish(start(auto, { maxFileKilobytes: attempt.kilobytes }))
      return ended
    case 'twice': {
      const first = start(auto)
      await waitFor(first, () => false, attempt.afterMs)
      const second = start(auto)
      await Promise.all([finish(first), finish(second)])
      return ended
    }
    case 'rehearse':
      await finish(start(['--rehearse', String(attempt.times)]))
      return ended
    case 'cancel': {
      const command = start(['--cutover', 'manual'])
      await waitFor(command, () => command.hasPrinted('outgrow graduate cutover'))
      await sleep(300)
      command.child.kill('SIGINT')
      await finish(command)
      if (attempt.dies) {
        await finish(start(['cancel'], { env: { OUTGROW_DIE_AT: 'target-dropped' } }))
        ended.kills++
      }
      await finish(start(['cancel']))
      return ended
    }
    case 'manual': {
      const command = start(['--cutover', 'manual'])
      await waitFor(command, () => command.hasPrinted('outgrow graduate cutover'))
      await finish(start(['cutover']))
      if (ended.commands[0]?.code !== 0) command.child.kill('SIGINT')
      await finish(command)
      return ended
    }
    case 'schema-change': {
      const command = start(auto)
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
async function waitFor({ child }: StartedCommand, isSo: () => boolean, withinMs = patienceMs): Promise<void> {
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
