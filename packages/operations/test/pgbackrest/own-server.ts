import { execFile } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts } from '@outgrow/testing/ports'

const run = promisify(execFile)

/** Debian's server of the newest version that is installed. */
export const serverBinaries = existsSync('/usr/lib/postgresql')
  ? readdirSync('/usr/lib/postgresql')
      .toSorted((one, other) => Number(other) - Number(one))
      .map((version) => `/usr/lib/postgresql/${version}/bin`)
      .find((folder) => existsSync(join(folder, 'initdb')))
  : undefined

export const hasPgBackrest = (process.env.PATH ?? '')
  .split(delimiter)
  .some((folder) => existsSync(join(folder, 'pgbackrest')))

/** A server of Debian's PostgreSQL in a folder of its own, and commands as its account. */
export class OwnServer {
  readonly folder: string
  readonly stanza: string
  readonly data: string
  url = ''
  readonly #as: { uid: number; gid: number } | undefined

  private constructor() {
    this.#as = process.getuid?.() === 0 ? accountOf('postgres') : undefined
    this.folder = mkdtempSync(join(tmpdir(), 'pgbackrest-'))
    chmodSync(this.folder, 0o755)
    if (this.#as) chownSync(this.folder, this.#as.uid, this.#as.gid)
    this.stanza = `test-${process.pid}-${Date.now()}`
    this.data = join(this.folder, 'data')
  }

  static async start(): Promise<OwnServer> {
    const server = new OwnServer()
    for (const name of ['log', 'lock', 'spool', 'repository', 'socket']) await server.shell(`mkdir ${name}`)
    await server.shell(`${serverBinaries}/initdb -D data -U postgres --auth=trust -E UTF8 --locale=C.UTF-8`)
    writeFileSync(
      join(server.data, 'postgresql.conf'),
      `port = ${await freePorts()}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '${server.folder}/socket'\n`,
    )
    await server.restart()
    return server
  }

  /** Runs commands as the server’s account. What pgBackRest keeps beside its configuration stays in the folder. */
  async shell(script: string): Promise<string> {
    const { stdout } = await run('sh', ['-euc', script], {
      ...this.#as,
      cwd: this.folder,
      env: { ...this.env, PATH: process.env.PATH, PGUSER: 'postgres', PGHOST: join(this.folder, 'socket') },
    })
    return stdout
  }

  get env(): Record<string, string> {
    const { folder } = this
    return {
      PGBACKREST_LOG_PATH: `${folder}/log`,
      PGBACKREST_LOCK_PATH: `${folder}/lock`,
      PGBACKREST_SPOOL_PATH: `${folder}/spool`,
    }
  }

  async restart(): Promise<void> {
    const port = /port = (\d+)/.exec(readFileSync(join(this.data, 'postgresql.conf'), 'utf8'))?.[1]
    const isRunning = existsSync(join(this.data, 'postmaster.pid'))
    await this.shell(`${serverBinaries}/pg_ctl ${isRunning ? 'restart' : 'start'} -w -s -D data -l data.log`)
    this.url = `postgresql://postgres@127.0.0.1:${port}/postgres?sslmode=disable`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of readdirSync(this.folder)) {
      if (existsSync(join(this.folder, name, 'postmaster.pid')))
        await this.shell(`${serverBinaries}/pg_ctl stop -m immediate -D ${name}`)
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** The commands below a heading of a runbook, block by block. */
export function commandsBelow(runbook: string, heading: string): string[] {
  const section = runbook.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? ''
  return Array.from(section.matchAll(/```sh\n(.*?)```/gs), ([, block]) => block as string)
}

function accountOf(name: string): { uid: number; gid: number } {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
  const [, , uid, gid] = (line ?? '').split(':')
  return { uid: Number(uid), gid: Number(gid) }
}
