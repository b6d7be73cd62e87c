import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { startEmbeddedPostgres, withPostgres } from '@outgrow/databases'
import { benchDatabase } from './database.ts'
import { benchEngine } from './engine.ts'
import { report } from './report.ts'

const state = join(import.meta.dirname, '../../../.outgrow')

interface Options {
  events: string
  rounds: string
  json?: string
}

export const webhooksCommand = new Command('webhooks')
  .description(
    'intake of a burst, draining with 1, 2 and 4 worker processes, what an event costs, colliding events; compared with a known sync engine',
  )
  .option('--events <n>', 'deliveries of the burst, a fifth of them repeats', '5000')
  .option('--rounds <n>', 'rounds of the burst', '3')
  .option('--json <file>', 'write the figures')
  .action(async ({ events, rounds, json }: Options) => {
    mkdirSync(state, { recursive: true })
    const folder = mkdtempSync(join(state, 'bench-'))
    const server = await startEmbeddedPostgres({ directory: join(folder, 'server') })
    try {
      const results = []
      for (const provider of ['sqlite', 'postgres'] as const) {
        const url = provider === 'sqlite' ? `file:${join(folder, 'app.db')}` : server.url
        results.push(await benchDatabase(provider, url, Number(events), Number(rounds)))
      }
      await withPostgres(server.url, (client) => client.query('CREATE DATABASE engine'))
      const engine = await benchEngine(
        server.url.replace('/postgres?', '/engine?'),
        Number(events),
        Number(rounds),
      )
      report(results, engine, json)
    } finally {
      await server.stop('immediate')
      rmSync(folder, { recursive: true, force: true })
    }
  })
