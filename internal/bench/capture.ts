import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { openSqlite, type SqliteDatabase } from '@outgrow/databases'
import { textTable } from 'outgrow/output/terminal'
import { capture } from '../../packages/graduate/src/source/sqlite/live/capture.ts'
import { pruneLog, readLogState } from '../../packages/graduate/src/source/sqlite/live/change-log.ts'
import { captureSchemas, type CaptureSchema, type WriterAnswer } from './capture-schemas.ts'
import { median } from './process-usage.ts'

export const captureCommand = new Command('capture')
  .description('what logging changes costs the writers of an SQLite file: single-row transactions')
  .option('--operations <n>', 'operations per round, of all writers together', '2000')
  .option('--rounds <n>', 'rounds', '41')
  .action(async (options: { operations: string; rounds: string }) => {
    const root = join(import.meta.dirname, '../../.outgrow')
    mkdirSync(root, { recursive: true })
    const folder = mkdtempSync(join(root, 'bench-'))
    try {
      const rows = []
      for (const schema of Object.values(captureSchemas)) {
        for (const writers of [1, 4]) {
          rows.push(
            await benchCapture(folder, schema, writers, Number(options.operations), Number(options.rounds)),
          )
        }
      }
      process.stdout.write(
        `${textTable(['key', 'writers', 'without', 'with', 'ratio', 'CPU without', 'CPU with', 'ratio'], rows).join('\n')}\n`,
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

interface Variant {
  label: 'with' | 'without'
  database: SqliteDatabase
  writers: ChildProcess[]
}

async function benchCapture(
  folder: string,
  schema: CaptureSchema,
  writers: number,
  operations: number,
  rounds: number,
): Promise<string[]> {
  const variants: Variant[] = []
  try {
    for (const label of ['without', 'with'] as const)
      variants.push(await makeVariant(folder, schema, writers, label))
    const rates: Record<Variant['label'], Rate[]> = { with: [], without: [] }
    for (let round = -2; round < rounds; round++) {
      // The order changes each round, so that neither always runs on the warmer machine.
      for (const variant of round % 2 === 0 ? variants : variants.toReversed()) {
        const rate = await runRound(variant, operations)
        if (round >= 0) rates[variant.label].push(rate)
      }
    }
    const of = (label: Variant['label'], what: keyof Rate) => median(rates[label].map((rate) => rate[what]))
    const ratio = (what: keyof Rate) =>
      median(rates.with.map((rate, round) => rate[what] / (rates.without[round]?.[what] ?? 1))).toFixed(3)
    return [
      schema.title,
      String(writers),
      `${of('without', 'perSecond').toFixed(0)}/s`,
      `${of('with', 'perSecond').toFixed(0)}/s`,
      ratio('perSecond'),
      `${of('without', 'cpuMicros').toFixed(1)} µs`,
      `${of('with', 'cpuMicros').toFixed(1)} µs`,
      ratio('cpuMicros'),
    ]
  } finally {
    for (const { database, writers: processes } of variants) {
      for (const writer of processes) writer.kill('SIGKILL')
      database.close()
    }
  }
}

async function makeVariant(
  folder: string,
  schema: CaptureSchema,
  writers: number,
  label: Variant['label'],
): Promise<Variant> {
  const path = join(folder, `${schema.kind}-${writers}-${label}.db`)
  const database = openSqlite(path)
  database.exec(schema.ddl)
  if (label === 'with') {
    capture(database, [{ number: 1, name: 'User', key: ['id'] }], {
      graduation: 'bench',
      epoch: 1,
      maxLog: 10_000_000,
      target: { database: 'bench', schema: 'public', system: null },
    })
  }
  const processes = Array.from({ length: writers }, (_, at) =>
    fork(join(import.meta.dirname, 'capture-writer.ts'), [path, schema.kind, String(at)]),
  )
  await Promise.all(processes.map((writer) => once(writer, 'message')))
  return { label, database, writers: processes }
}

interface Rate {
  /** Operations. */
  perSecond: number
  /** Of one operation, in the writer. */
  cpuMicros: number
}

async function runRound({ label, database, writers }: Variant, operations: number): Promise<Rate> {
  const started = performance.now()
  const done = writers.map((writer) => once(writer, 'message') as Promise<[WriterAnswer]>)
  for (const writer of writers) writer.send({ operations: Math.round(operations / writers.length) })
  const answers = await Promise.all(done)
  const ms = performance.now() - started
  if (label === 'with') pruneLog(database, readLogState(database).newest, Number.MAX_SAFE_INTEGER)
  const cpuMicros = answers.reduce((sum, [answer]) => sum + answer.cpuMicros, 0)
  return { perSecond: (operations / ms) * 1000, cpuMicros: cpuMicros / operations }
}
