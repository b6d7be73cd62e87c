import { execFile } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startEmbeddedPostgres, withPostgres, type EmbeddedPostgres } from '@outgrow/databases'
import { TcpGate } from './tcp-gate.ts'

const run = promisify(execFile)

export interface Standby {
  /** Through the gate, so that it stays the same when the server is started again. */
  url: string
  gate: TcpGate
  query(sql: string): Promise<Record<string, unknown>[]>
  stop(): Promise<void>
  start(): Promise<void>
}

export interface Replication {
  url: string
  standbys: Standby[]
  close(): Promise<void>
}

/** A primary and servers that replay what it streams: real ones, from copies of its folder. */
export async function startReplication(count: number): Promise<Replication> {
  const state = join(import.meta.dirname, '../../../.outgrow')
  mkdirSync(state, { recursive: true })
  const folder = mkdtempSync(join(state, 'case-replication-'))
  const folders: string[] = [folder]
  const start = (directory: string) =>
    startEmbeddedPostgres({
      directory,
      settings: [
        'fsync=off',
        'max_connections=100',
        'shared_buffers=16MB',
        'wal_receiver_status_interval=1s',
      ],
    })
  const first = await start(join(folder, 'primary'))
  await first.stop()
  const copies: string[] = []
  for (let at = 0; at < count; at++) {
    const source = join(first.dataDirectory, '..')
    const directory = `${source}-standby-${at}`
    await run('cp', ['-a', source, directory])
    folders.push(directory)
    copies.push(directory)
  }
  const primary = await start(join(folder, 'primary'))
  folders.push(join(primary.dataDirectory, '..'))
  const { port, password, username } = new URL(primary.url)
  const servers: (EmbeddedPostgres | undefined)[] = []
  const standbys: Standby[] = []
  for (const [at, directory] of copies.entries()) {
    const data = join(directory, 'data')
    writeFileSync(join(data, 'standby.signal'), '')
    appendFileSync(
      join(data, 'postgresql.auto.conf'),
      `primary_conninfo = 'host=127.0.0.1 port=${port} user=${username} password=${password} sslmode=disable'\n`,
    )
    const gate = await TcpGate.open()
    const begin = async () => {
      const server = await start(directory)
      servers[at] = server
      gate.port = Number(new URL(server.url).port)
    }
    await begin()
    const url = new URL(primary.url)
    url.port = String(gate.listening)
    standbys.push({
      url: url.href,
      gate,
      query: (sql) =>
        withPostgres(servers[at]?.url ?? '', async (client) => {
          const { rows } = await client.query<Record<string, unknown>>(sql)
          return rows
        }),
      stop: async () => {
        await servers[at]?.stop('immediate')
        servers[at] = undefined
      },
      start: begin,
    })
  }
  return {
    url: primary.url,
    standbys,
    close: async () => {
      for (const server of servers) await server?.stop('immediate')
      await primary.stop('immediate')
      for (const { gate } of standbys) await gate.close()
      for (const one of folders) rmSync(one, { recursive: true, force: true })
    },
  }
}
