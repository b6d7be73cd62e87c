import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { count, textTable } from 'outgrow/output/terminal'
import type { DatabaseFigures } from './database.ts'
import type { EngineFigures } from './engine.ts'
import type { Intake } from './intake.ts'

export function report(
  results: readonly DatabaseFigures[],
  engine: EngineFigures,
  json: string | undefined,
): void {
  const print = (lines: string[]) => process.stdout.write(`${lines.join('\n')}\n\n`)
  print(
    textTable(
      ['intake, 64 at a time', 'events', 'p50', 'p99', 'slowest', 'errors'],
      [
        ...results.map(({ provider, intake }) => intakeRow(`outgrow on ${provider}`, intake)),
        ...results.map(({ provider, intakeBesideWorker }) =>
          intakeRow(`outgrow on ${provider}, a worker beside`, intakeBesideWorker),
        ),
        intakeRow('stripe-sync-engine on postgres', engine.intake),
      ],
    ),
  )
  print(
    textTable(
      ['drained', '1 worker', '2 workers', '4 workers', 'wrong states', 'colliding pairs', 'errors'],
      results.map(({ provider, drained, wrongAfterDrain, collisions }) => [
        provider,
        ...[1, 2, 4].map((workers) => `${Math.round(drained[workers] ?? 0)}/s`),
        wrongAfterDrain,
        collisions.pairs,
        collisions.errors,
      ]),
    ),
  )
  print(
    textTable(
      [
        'ten events a customer',
        'Stripe calls an event',
        'SQL statements an event',
        'behind 600 of another',
        'idle worker woken',
      ],
      results.map(({ provider, cost, waitBehindMs, wakeMs }) => [
        provider,
        cost.stripeCalls.toFixed(2),
        cost.sqlStatements.toFixed(2),
        `${Math.round(waitBehindMs)} ms`,
        `${wakeMs.toFixed(1)} ms`,
      ]),
    ),
  )
  const postgres = results.find(({ provider }) => provider === 'postgres')
  const intakeToEngine = Number(((postgres?.intake.perSecond ?? 0) / engine.intake.perSecond).toFixed(2))
  process.stdout.write(
    `intakeToEngine: ${intakeToEngine}\nwrong states of stripe-sync-engine: ${engine.wrong} of ${engine.subscriptions}\n`,
  )
  if (json === undefined) return
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version }
  writeFileSync(
    json,
    `${JSON.stringify({ machine, results, engine, ratios: { intakeToEngine } }, null, 2)}\n`,
  )
}

function intakeRow(name: string, { perSecond, p50Ms, p99Ms, maxMs, errors }: Intake) {
  return [
    name,
    `${count(Math.round(perSecond))}/s`,
    ...[p50Ms, p99Ms, maxMs].map((ms) => `${ms.toFixed(1)} ms`),
    errors,
  ]
}
