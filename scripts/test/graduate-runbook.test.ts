import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { openSqlite, withPostgres } from '@outgrow/databases'
import { makeDatabase } from '@outgrow/testing'
import { makeShop, outgrow, startOutgrow } from '@outgrow/testing/cli'
import { expect, inject, test } from 'vitest'

const runbook = readFileSync(join(import.meta.dirname, '../../docs/graduate.md'), 'utf8')

/** Every command of the runbook, in blocks and in lines. */
const documented = new Set(
  [...runbook.matchAll(/^ *(outgrow (?:graduate|inspect).*)$|`(outgrow graduate [a-z-].*?)`/gm)].map(
    ([, block, inline]) => (block ?? inline ?? '').trim(),
  ),
)

/** A project as the runbook takes it: its schema in `prisma/`, the file beside it. */
async function project(): Promise<{ folder: string; env: NodeJS.ProcessEnv }> {
  const { file, schema } = makeShop(300)
  const folder = dirname(file)
  mkdirSync(join(folder, 'prisma'))
  copyFileSync(schema, join(folder, 'prisma/schema.prisma'))
  writeFileSync(join(folder, 'restart.sh'), '#!/bin/sh\ntest -n "$POSTGRES_URL"\n', { mode: 0o755 })
  const { url } = await makeDatabase(inject('postgresUrl'))
  return { folder, env: { DATABASE_URL: 'file:./app.db', POSTGRES_URL: url } }
}

/** As a shell takes a line apart. */
const wordsOf = (line: string) =>
  execFileSync('sh', ['-c', `printf '%s\\n' ${line}`], { encoding: 'utf8' })
    .trimEnd()
    .split('\n')
    .slice(1)

test('every command of docs/graduate.md does what it says', async () => {
  const ran = new Set<string>()
  const first = await project()
  const run = async (line: string, { folder, env } = first) => {
    ran.add(line)
    // What it says of a quiet machine: on a busy one a pause may be longer, and is taken back.
    const patience = /cutover|rollback/.test(line) ? ['--budget-ms', '60000'] : []
    const { code, stderr } = await outgrow([...wordsOf(line), ...patience], env, folder)
    return { code, stderr }
  }
  const follow = async ({ folder, env } = first) => {
    ran.add('outgrow graduate')
    const started = startOutgrow(['graduate'], env, folder)
    await started.says('Verified')
    return started
  }

  expect(await run('outgrow inspect')).toMatchObject({ code: 0 })
  expect(await run('outgrow graduate --rehearse 3')).toMatchObject({ code: 0 })
  const following = await follow()
  expect(await run('outgrow graduate status')).toMatchObject({ code: 0 })
  expect(await run('outgrow graduate cutover --dry-run')).toMatchObject({ code: 0 })
  expect(await run('outgrow graduate cutover')).toMatchObject({ code: 0 })
  expect((await following.ended).code).toBe(0)
  expect(await run('outgrow graduate rollback')).toMatchObject({ code: 0 })
  expect(await run('outgrow graduate cutover --budget-ms 500')).toMatchObject({ code: 0 })
  expect(await run('outgrow graduate complete')).toMatchObject({ code: 0 })

  const second = await project()
  expect(await run("outgrow graduate --cutover auto --on-cutover './restart.sh'", second)).toMatchObject({
    code: 0,
  })

  const third = await project()
  const other = await follow(third)
  const database = openSqlite(join(third.folder, 'app.db'))
  const silent =
    "INSERT INTO _outgrow_process VALUES ('x', 1, 'elsewhere', 'late.js', ?, ?, 0, 'has no POSTGRES_URL', 1)"
  const now = new Date().toISOString()
  database.prepare(silent).run(now, now)
  expect(await run('outgrow graduate cutover --dry-run', third)).toMatchObject({ code: 4 })
  expect(await run('outgrow graduate cutover', third)).toMatchObject({ code: 2 })
  expect(await run('outgrow graduate cutover --leave-behind', third)).toMatchObject({ code: 0 })
  expect((await other.ended).code).toBe(0)
  database.close()

  const fourth = await project()
  await follow(fourth)
  expect(await run('outgrow graduate cancel', fourth)).toMatchObject({ code: 0 })

  const fifth = await project()
  const last = await follow(fifth)
  last.child.kill('SIGKILL')
  await last.ended
  await withPostgres(inject('postgresUrl'), (client) =>
    client.query(`DROP DATABASE ${new URL(fifth.env.POSTGRES_URL ?? '').pathname.slice(1)} WITH (FORCE)`),
  )
  expect(await run('outgrow graduate cancel --target-gone', fifth)).toMatchObject({ code: 0 })
  expect(documented.size).toBeGreaterThan(10)
  expect([...documented].filter((line) => !ran.has(line))).toEqual([])
})
