import { rmSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { runningEmbedded, stateDirectory } from '@outgrow/databases'
import { dropTrialDatabase, listTrialDatabases, newTrialDatabase } from '@outgrow/graduate'
import { openSample, sampleSchema } from '@outgrow/sample'
import { exit, Failure } from '@outgrow/kit'
import { deployMigrations, readSchemaSource } from '@outgrow/schema'
import { inspect } from 'outgrow/commands/inspect'
import { verify } from 'outgrow/commands/verify'
import { fillTarget } from 'outgrow/fill-target'
import type { SharedOptions } from 'outgrow/move-options'
import type { CommandContext } from 'outgrow/output/run'
import { count, duration } from 'outgrow/output/terminal'
import { application } from './application.ts'
import { seedThroughClient, addDirtyData } from './seed.ts'

const root = resolve(import.meta.dirname, '../..')

/** The whole journey, told step by step. */
export async function demo(context: CommandContext) {
  const { terminal } = context
  const started = performance.now()
  const say = (text: string) => terminal.line(`\n${terminal.style('bold', text)}`)
  const directory = join(stateDirectory(join(root, '.outgrow')), 'demo')
  for (const { name } of await listTrialDatabases(directory)) await dropTrialDatabase(directory, name)
  await (await runningEmbedded(directory))?.stop()
  rmSync(directory, { recursive: true, force: true })
  stateDirectory(directory)
  const file = join(directory, 'app.db')
  const shown = relative(process.cwd(), file)
  const shared: SharedOptions = {
    from: file,
    schema: sampleSchema,
    fix: [],
    onBadValue: 'stop',
    skipTable: [],
    skipColumn: [],
    skipObject: [],
    cast: [],
    workDir: directory,
  }

  say('A SaaS on SQLite')
  await deployMigrations(readSchemaSource(sampleSchema), `file:${file}`)
  terminal.line('Seeding it through the client …')
  const seeded = terminal.busy('Seeding')
  const rows = (await seedThroughClient(`file:${file}`).finally(seeded)) + addDirtyData(file)
  terminal.line(`${count(rows)} rows in ${shown}, with the dirty data of years of use.`)

  say(`$ outgrow inspect --from ${shown}`)
  const inspected = await inspect(shared, context)

  const rules = ['boolean-words', 'orphans-null', 'text-strip-nul']
  say(`$ outgrow migrate --from ${shown} ${rules.map((rule) => `--fix ${rule}`).join(' ')}`)
  const { url } = await newTrialDatabase(directory, file)
  try {
    const migrated = await fillTarget(
      { command: 'migrate', from: file },
      { ...shared, fix: rules, to: url },
      context,
    )
    say(`$ outgrow verify --from ${shown}`)
    const verified = await verify({ ...shared, to: url }, context)

    say('The same application code on both')
    const onSqlite = await answersOf(`file:${file}`)
    const onPostgres = await answersOf(url)
    for (const [question, answer] of Object.entries(onPostgres)) {
      terminal.line(`  ${question.padEnd(7)} ${JSON.stringify(answer)}`)
    }
    if (!isDeepStrictEqual(onSqlite, onPostgres)) {
      throw new Failure({
        code: 'OUTGROW_DEMO_DIFFERS',
        message: 'The application answers differently on Postgres.',
        why: JSON.stringify(onSqlite),
        fix: 'This is a bug: please report it with this output.',
      })
    }
    terminal.line(
      `${terminal.style('green', 'Same answers')} from SQLite and from Postgres. ${duration(performance.now() - started)} in all.`,
    )
    terminal.line(
      `\nYours: outgrow migrate --from <your.db> --schema <your schema.prisma, or introspect> --to <postgres URL>`,
    )
    const ok = migrated.ok && verified.ok
    return {
      command: 'demo',
      ok,
      exitCode: ok ? exit.done : exit.findings,
      inspect: inspected,
      migrate: migrated,
      verify: verified,
      error: null,
    }
  } finally {
    await (await runningEmbedded(directory))?.stop()
  }
}

async function answersOf(url: string): Promise<Record<string, unknown>> {
  const database = await openSample(url)
  try {
    return await application(database)
  } finally {
    await database.close()
  }
}
