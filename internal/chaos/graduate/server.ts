import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { processState } from './process-state.ts'
import { startEmbeddedPostgres, withPostgres, type EmbeddedPostgres } from '@outgrow/databases'

/** A cluster that crashes and comes back at the same port. */
export interface CrashingServer extends AsyncDisposable {
  port: number
  /** URL of a new, empty database. */
  makeDatabase(name: string): Promise<string>
  dropDatabase(name: string): Promise<void>
  /** Ends it as a crash does, and starts it again after a while. */
  crash(how: 'immediate' | 'kill', downMs: number): Promise<void>
}

export async function startServer(): Promise<CrashingServer> {
  const state = join(import.meta.dirname, '../../../.outgrow')
  mkdirSync(state, { recursive: true })
  const folder = mkdtempSync(join(state, 'chaos-'))
  const port = await freePort()
  const start = async (): Promise<EmbeddedPostgres> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await startEmbeddedPostgres({
          directory: join(folder, 'server'),
          settings: [`port=${port}`, 'fsync=off', 'max_connections=100', 'shared_buffers=64MB'],
        })
      } catch (error) {
        // What a killed postmaster has left still winds down.
        if (attempt > 40) throw error
        await sleep(100)
      }
    }
  }
  let server = await start()
  const urlOf = (name: string) => {
    const url = new URL(server.url)
    url.port = String(port)
    url.pathname = `/${name}`
    return url.href
  }
  return {
    port,
    makeDatabase: async (name) => {
      await withPostgres(urlOf('postgres'), (client) =>
        client.query(`CREATE DATABASE ${name} TEMPLATE template0`),
      )
      return urlOf(name)
    },
    dropDatabase: (name) =>
      withPostgres(urlOf('postgres'), async (client) => {
        await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
      }),
    crash: async (how, downMs) => {
      if (how === 'immediate') await server.stop('immediate')
      else await killServer(server.dataDirectory)
      await sleep(downMs)
      server = await start()
    },
    [Symbol.asyncDispose]: async () => {
      await server.stop('immediate').catch(() => {}) // it may be down already
      rmSync(join(server.dataDirectory, '..'), { recursive: true, force: true })
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Kills the postmaster, and waits until its backends have seen that. */
async function killServer(dataDirectory: string): Promise<void> {
  const pidFile = join(dataDirectory, 'postmaster.pid')
  const postmaster = Number(readFileSync(pidFile, 'utf8').split('\n')[0])
  const all = [postmaster, ...childrenOf(postmaster)]
  process.kill(postmaster, 'SIGKILL')
  const isThere = (pid: number) => !['Z', undefined].includes(processState(pid)?.state)
  while (all.some(isThere)) await sleep(10)
  // Its number may stay taken by a process that nobody has waited for.
  rmSync(pidFile, { force: true })
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && processState(pid)?.parent === parent)
}

async function freePort(): Promise<number> {
  const listener = createServer()
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  listener.close()
  await once(listener, 'close')
  return typeof address === 'object' && address ? address.port : 0
}
