import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, chmod, chown } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startEmbeddedPostgres, withPostgres } from '@outgrow/databases'
import { freePort } from './ports.ts'

const run = promisify(execFile)

/** A server of Debian's, which brings pg_basebackup. */
const binaries = globSync('/usr/lib/postgresql/*/bin').find(
  (path) => globSync(`${path}/pg_basebackup`).length > 0,
)

export const hasReplication = binaries !== undefined

export interface ReplicatedPostgres extends AsyncDisposable {
  url: string
  standbyUrl: string
  /** Stops the primary at once. */
  stop(): Promise<void>
}

/** A primary that would archive its log, if it knew how to, and a standby that streams from it through a slot. */
export async function startReplicatedPostgres(): Promise<ReplicatedPostgres> {
  if (binaries === undefined) throw new Error('Debian’s postgresql is not installed')
  const folder = await mkdtemp(join(tmpdir(), 'outgrow-replicated-'))
  await chmod(folder, 0o755)
  const running = new AsyncDisposableStack()
  running.defer(() => rm(folder, { recursive: true, force: true }))
  const primary = await startEmbeddedPostgres({
    directory: join(folder, 'primary'),
    binaries,
    settings: ['fsync=off', 'max_connections=60', 'wal_level=replica', 'archive_mode=on'],
  })
  running.defer(() => primary.stop('immediate').catch(() => {})) // the test may have stopped it
  const url = new URL(primary.url)
  const { uid, gid } = owner()
  const as = { uid, gid, cwd: folder, env: { PATH: binaries, LC_ALL: 'C', PGPASSWORD: url.password } }
  const data = join(folder, 'standby')
  const port = await freePort()
  await chown(folder, uid, gid)
  await run(
    join(binaries, 'pg_basebackup'),
    [
      '-D',
      data,
      '-h',
      url.hostname,
      '-p',
      url.port,
      '-U',
      url.username,
      '-X',
      'stream',
      '-C',
      '-S',
      'standby',
      '-R',
      '-c',
      'fast',
    ],
    as,
  )
  const settings = `-c port=${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c archive_mode=off -c cluster_name=standby`
  const pgCtl = join(binaries, 'pg_ctl')
  await run(pgCtl, ['start', '-D', data, '-w', '-s', '-l', join(folder, 'standby.log'), '-o', settings], as)
  running.defer(async () => {
    await run(pgCtl, ['stop', '-D', data, '-m', 'immediate', '-w', '-s'], as)
  })
  const standbyUrl = new URL(primary.url)
  standbyUrl.port = String(port)
  await withPostgres(standbyUrl.href, (client) => client.query('SELECT 1'))
  return {
    url: primary.url,
    standbyUrl: standbyUrl.href,
    stop: () => primary.stop('immediate'),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** Who runs the servers: PostgreSQL refuses root. */
function owner(): { uid: number; gid: number } {
  const [uid = 0, gid = 0] = [process.getuid?.(), process.getgid?.()]
  if (uid !== 0) return { uid, gid }
  const [, , postgresUid, postgresGid] = (
    /^postgres:.*$/m.exec(readFileSync('/etc/passwd', 'utf8'))?.[0] ?? ''
  ).split(':')
  return { uid: Number(postgresUid), gid: Number(postgresGid) }
}
