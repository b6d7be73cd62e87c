import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { openSqlite, stockSqliteAdapter } from '@outgrow/databases'
import { openSample, PrismaClient } from '@outgrow/sample'
import { diffDatamodels } from '@outgrow/schema'
import { textTable } from 'outgrow/output/terminal'
import { median } from './process-usage.ts'

export const clientCommand = new Command('client')
  .description('the facade against the bare Prisma client on SQLite: point reads and writes')
  .option('--operations <n>', 'operations per round', '3000')
  .option('--rounds <n>', 'rounds', '15')
  .action(async (options: { operations: string; rounds: string }) => {
    const root = join(import.meta.dirname, '../../.outgrow')
    mkdirSync(root, { recursive: true })
    const folder = mkdtempSync(join(root, 'bench-'))
    try {
      await benchClient(folder, Number(options.operations), Number(options.rounds))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

async function benchClient(folder: string, operations: number, rounds: number): Promise<void> {
  const schema = readFileSync(
    join(import.meta.dirname, '../../packages/sample/prisma/sqlite/schema.prisma'),
    'utf8',
  )
  const ddl = await diffDatamodels('sqlite', undefined, schema)
  const make = (name: string) => {
    const path = join(folder, name)
    const database = openSqlite(path)
    database.exec(ddl)
    database.close()
    return path
  }
  const database = await openSample(`file:${make('facade.db')}`)
  const bare = new PrismaClient({ adapter: stockSqliteAdapter(make('bare.db')) })
  const clients: [string, PrismaClient][] = [
    ['facade', database.client],
    ['bare', bare],
  ]
  const work: Record<string, (client: PrismaClient, at: number) => Promise<unknown>> = {
    'point write': (client, at) =>
      client.label.update({ where: { id: (at % 1000) + 1 }, data: { name: `t${at % 1000}-${at}` } }),
    'point read': (client, at) => client.label.findUnique({ where: { id: (at % 1000) + 1 } }),
  }
  for (const [, client] of clients) {
    await client.label.createMany({ data: Array.from({ length: 1000 }, (_, at) => ({ name: `t${at}` })) })
  }
  const rows = []
  for (const [name, operation] of Object.entries(work)) {
    const ratios: number[] = []
    const times: Record<string, number[]> = { facade: [], bare: [] }
    for (let round = -2; round < rounds; round++) {
      const spent: Record<string, number> = {}
      // The order changes each round, so that neither always runs on the warmer machine.
      for (const [label, client] of round % 2 === 0 ? clients : clients.toReversed()) {
        const started = performance.now()
        for (let at = 0; at < operations; at++) await operation(client, at)
        spent[label] = performance.now() - started
      }
      if (round < 0) continue
      for (const [label] of clients) times[label]?.push(((spent[label] ?? 0) / operations) * 1000)
      ratios.push((spent.facade ?? 0) / (spent.bare ?? 1))
    }
    const micros = (label: string) => `${median(times[label] ?? []).toFixed(1)} µs`
    rows.push([name, micros('bare'), micros('facade'), median(ratios).toFixed(3)])
  }
  await database.close()
  await bare.$disconnect()
  process.stdout.write(`${textTable(['operation', 'bare Prisma', 'facade', 'ratio'], rows).join('\n')}\n`)
}
