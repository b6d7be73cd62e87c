import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { connectPostgres, openSqlite, openSqliteReadonly, readAuthority } from '@outgrow/databases'
import { introspectSchema, schemaSourceOf } from '@outgrow/schema'
import { until } from '@outgrow/testing'
import { completeGraduation } from '../src/flows/live/complete.ts'
import { cutOver, settle } from '../src/flows/live/follow.ts'
import { openSession } from '../src/flows/live/open-session.ts'
import { rollBack } from '../src/flows/live/roll-back.ts'
import { hold, prepareHold } from '../src/steps/live/hold.ts'
import { strictOptions } from '../src/model/options.ts'
import { runComplete } from '../src/runs/run-complete.ts'
import { runGraduate, type GraduateListener, type GraduateRun } from '../src/runs/run-graduate.ts'
import { refusedTypes } from '../src/source/sqlite/refused-types.ts'
import { following, none, signal } from './live-helpers.ts'

const sql = `CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, v TEXT); INSERT INTO t VALUES (1, 'a')`
type Ends = Awaited<ReturnType<typeof following>>

async function switched(ends: Ends) {
  await using session = await openSession(ends)
  await settle(session, none)
  await cutOver(session, { budgetMs: 60_000, attempts: 1 }, none)
}

function stateOf(path: string) {
  const database = openSqliteReadonly(path)
  const state = readAuthority(database)?.state
  database.close()
  return state
}

const listener: GraduateListener = {
  onStep: none,
  progress: none,
  onLag: none,
  onReached: none,
  onVerified: none,
  onWaiting: none,
  onHeld: none,
  onSwitched: none,
  onCommand: none,
  onLost: none,
  onAgain: none,
  onNote: none,
}

function graduate({ from, to }: Ends, signal: AbortSignal, more: Partial<GraduateRun> = {}) {
  return runGraduate(
    {
      from,
      to,
      signal,
      cutover: 'manual',
      writesHistory: false,
      options: strictOptions,
      workDir: join(dirname(from), 'work'),
      readSchema: () => schemaSourceOf(introspectSchema(from, refusedTypes).text, dirname(from)),
      ...more,
    },
    listener,
  )
}

test('a request that nobody answered does not switch when somebody follows again', async () => {
  const ends = await following(sql)
  {
    // What askFollower leaves when the process that followed is killed before it answers, or when the asker gives up.
    await using session = await openSession(ends)
    await session.ledger.ask({ id: 'old', kind: 'cutover', budgetMs: null, times: 1, leavesBehind: false })
  }
  await graduate(ends, AbortSignal.timeout(6000)).catch(none)
  expect(stateOf(ends.from)).toBe('following')
})

test('complete goes on after it was stopped between the commit of Postgres and that of the file', async () => {
  const ends = await following(sql)
  await switched(ends)
  const busy = openSqlite(ends.from)
  busy.exec('BEGIN IMMEDIATE')
  await expect(runComplete({ ...ends, leavesBehind: false })).rejects.toThrow('not free')
  busy.exec('ROLLBACK')
  busy.close()
  await runComplete({ ...ends, leavesBehind: false })
  expect(stateOf(ends.from)).toBe('completed')
})

test('complete goes on after it was stopped before the tombstone', async () => {
  const ends = await following(sql)
  await switched(ends)
  mkdirSync(`${ends.from}.tombstone`)
  await expect(runComplete({ ...ends, leavesBehind: false })).rejects.toThrow('EISDIR')
  rmdirSync(`${ends.from}.tombstone`)
  await runComplete({ ...ends, leavesBehind: false })
})

test('the archive can be read by whom the file could be read', async () => {
  const ends = await following(sql)
  chmodSync(ends.from, 0o600)
  await switched(ends)
  const { archive } = await runComplete({ ...ends, leavesBehind: false })
  expect((statSync(archive?.path ?? '').mode & 0o777).toString(8)).toBe('600')
})

test('the archive is of the last switch', async () => {
  const ends = await following(sql)
  await switched(ends)
  {
    await using session = await openSession(ends)
    session.file.write = () => Promise.reject(new Error('the lock is not free'))
    await expect(completeGraduation(session, false)).rejects.toThrow('not free')
  }
  {
    await using session = await openSession(ends)
    await rollBack(session, { budgetMs: 60_000, attempts: 1 }, none)
  }
  const application = openSqlite(ends.from)
  application.exec(`INSERT INTO t VALUES (2, 'later')`)
  application.close()
  await switched(ends)
  const { archive } = await runComplete({ ...ends, leavesBehind: false })
  const database = openSqliteReadonly(archive?.path ?? '')
  expect(database.prepare('SELECT id FROM t ORDER BY id').pluck().all()).toEqual([1, 2])
  database.close()
})

test('graduate tells the state that it has left, after it finished a way back', async () => {
  const ends = await following(sql)
  await switched(ends)
  {
    await using session = await openSession(ends)
    const { writer } = session.file
    const exec = writer.exec.bind(writer)
    const returnSql = session.ledger.returnSql.bind(session.ledger)
    session.ledger.returnSql = (...args) => {
      writer.exec = (text) => {
        if (text === 'COMMIT') throw new Error('killed')
        return exec(text)
      }
      return returnSql(...args)
    }
    await expect(rollBack(session, { budgetMs: 60_000, attempts: 1 }, none)).rejects.toThrow('killed')
    writer.exec = exec
  }
  const { state, pauses } = await graduate(ends, signal, {
    cutover: 'auto',
    budgetMs: 60_000,
  })
  expect({ state, pauses: pauses.length }).toEqual({ state: stateOf(ends.from), pauses: 1 })
})

test('the command that switches an application over runs although the process was killed right after the commit', async () => {
  const ends = await following(sql)
  {
    await using session = await openSession(ends)
    await settle(session, none)
    await hold(session, await prepareHold(session), { kind: 'cutover', budgetMs: 60_000 })
  }
  const mark = join(dirname(ends.from), 'restarted')
  const report = await graduate(ends, signal, {
    cutover: 'auto',
    onCutover: { command: `touch ${mark}`, deadlineMs: 120_000 },
  })
  expect({ ran: existsSync(mark), state: report.state }).toEqual({ ran: true, state: 'switched' })
})

test('a process that is stopped with Ctrl-Z while it holds writes is ended by its watchdog', async () => {
  const ends = await following(sql)
  // As an interactive shell does: a process group of its own, of which nobody is an orphan.
  const shell = spawn('bash', [
    '-c',
    `set -m; ${process.execPath} ${join(import.meta.dirname, 'live-held-process.ts')} ${ends.from} & echo $!; read -r _`,
  ])
  let said = ''
  shell.stdout.on('data', (data: Buffer) => (said += data.toString()))
  // It stops itself and its group, as the terminal does: from here that could come when the watchdog has ended it.
  await until(() => /held/.test(said) && /\d+/.test(said))
  const pid = Number(/\d+/.exec(said)?.[0])
  const application = openSqlite(ends.from, 120_000)
  try {
    expect(() => application.exec(`INSERT INTO t VALUES (5, 'x')`)).not.toThrow()
  } finally {
    shell.kill('SIGKILL')
    application.close()
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // its watchdog has ended it
    }
  }
})

test('a process that has given the writes back is not ended because the server is slow', async () => {
  const ends = await following(sql)
  const child = spawn(process.execPath, [
    join(import.meta.dirname, 'live-stalled-process.ts'),
    ends.from,
    ends.to,
  ])
  let said = ''
  child.stdout.on('data', (data: Buffer) => (said += data.toString()))
  child.stderr.on('data', (data: Buffer) => (said += data.toString()))
  const [, by] = (await once(child, 'exit')) as [number, string | null]
  if (by !== null) process.kill(Number(/backend (\d+)/.exec(said)?.[1]), 'SIGCONT')
  expect({ by, said }).toEqual({ by: null, said: expect.stringContaining('written') as string })
})

test('the command that switches an application over does not wait for the foreign keys to be checked', async () => {
  const ends = await following(`CREATE TABLE p (id INTEGER PRIMARY KEY NOT NULL); INSERT INTO p VALUES (1);
    CREATE TABLE c (id INTEGER PRIMARY KEY NOT NULL, p INTEGER NOT NULL REFERENCES p (id)); INSERT INTO c VALUES (1, 1)`)
  const [mark, goOn] = ['restarted', 'go-on'].map((name) => join(dirname(ends.from), name)) as [
    string,
    string,
  ]
  const client = await connectPostgres(ends.to)
  const { id } = await openSession(ends).then(async (session) => {
    const { rows } = await client.query(
      `SELECT c.oid AS id FROM pg_class c WHERE relname = 'c' AND relkind = 'r'`,
    )
    await session[Symbol.asyncDispose]()
    return rows[0] as { id: number }
  })
  const running = graduate(ends, signal, {
    cutover: 'auto',
    budgetMs: 60_000,
    // It ends when the test has looked, so that the test cannot look too late.
    onCutover: { command: `touch ${mark}; until test -e ${goOn}; do sleep 0.05; done`, deadlineMs: 120_000 },
  })
  await until(() => existsSync(mark))
  const unchecked = await client.query(
    'SELECT 1 FROM pg_constraint WHERE conrelid = $1 AND NOT convalidated',
    [id],
  )
  writeFileSync(goOn, '')
  await running
  await client.end()
  expect([stateOf(ends.from), unchecked.rowCount]).toEqual(['switched', 1])
})

test('complete waits for a lock no longer than others can wait behind it', async () => {
  const ends = await following(sql)
  await switched(ends)
  const [report, application] = [await connectPostgres(ends.to), await connectPostgres(ends.to)]
  await report.query('BEGIN; SELECT * FROM t') // pg_dump, a long report
  const completing = runComplete({ ...ends, leavesBehind: false }).catch(none)
  await sleep(3000)
  await application.query('SET statement_timeout = 60000')
  const answer = await application.query(`UPDATE t SET v = 'b'`).then(
    () => 'answered',
    (error: Error) => error.message,
  )
  await report.query('COMMIT')
  await completing
  await Promise.all([report.end(), application.end()])
  expect(answer).toBe('answered')
})
