import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestDatabase } from '@outgrow/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { postgresSchema } from './move.ts'
import { ask, filledPostgres, newPath, reverseFrom } from './reverse.ts'

const schema = postgresSchema('model Note {\n  id   Int    @id\n  text String\n}')
let database: TestDatabase
beforeAll(async () => {
  database = await filledPostgres({
    schema,
    fill: `INSERT INTO "Note" SELECT n, repeat(md5(n::text), 10) FROM generate_series(1, 40000) n`,
  })
})
afterAll(() => database.drop())

/** Starts a process that makes the file, and hands over what it prints line by line. */
function makeFile(to: string, { limit = '', standsStill = false } = {}) {
  const source = join(dirname(to), 'schema.prisma')
  writeFileSync(source, schema)
  const program = join(import.meta.dirname, 'reverse-process.ts')
  const child = spawn(
    'sh',
    [
      '-c',
      `${limit} exec "$0" "$@"`,
      process.execPath,
      program,
      database.url,
      to,
      source,
      ...(standsStill ? ['stands-still'] : []),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  return { child, lines: createInterface(child.stdout) }
}

const parts = (path: string) => readdirSync(dirname(path)).filter((name) => name.startsWith('app.db'))

test('what a killed process leaves is not taken for a file, and the next one removes it', async () => {
  const to = newPath()
  const { child, lines } = makeFile(to, { standsStill: true })
  for await (const line of lines) if (/^copy [1-9]/.test(line)) child.kill('SIGKILL')
  expect(parts(to)).toEqual([expect.stringContaining(`app.db.being-restored-${child.pid}-`)])
  const result = await reverseFrom(database.url, schema, { to })
  expect(result.tables).toMatchObject([{ sourceRows: 40000, targetRows: 40000, digestMatch: true }])
  expect(parts(to)).toEqual(['app.db'])
  expect(ask(to, 'SELECT count(*) AS n, min(length(text)) AS least FROM "Note"')).toEqual([
    { n: 40000n, least: 320n },
  ])
})

test('a disk without room for the file is named, and what there was of it is removed', async () => {
  const to = newPath()
  // Blocks of 512 bytes; what goes beyond fails as a full disk does, if the process does not end over it.
  const { child, lines } = makeFile(to, { limit: `trap '' XFSZ; ulimit -f 4096;` })
  const said: string[] = []
  const ended = once(child, 'exit')
  for await (const line of lines) said.push(line)
  await ended
  expect(said.at(-1)).toMatch(/^OUTGROW_DISK_FULL There is no room for the file/)
  expect(parts(to)).toEqual([])
})

test('a role that does not see every row is refused, and a connection that ends is named', async () => {
  await database.query(
    `DO $$ BEGIN CREATE ROLE outgrow_reader LOGIN PASSWORD 'reader'; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
  )
  await database.query(
    'GRANT SELECT ON "Note" TO outgrow_reader; ALTER TABLE "Note" ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON "Note" USING (id < 5)',
  )
  const reader = Object.assign(new URL(database.url), { username: 'outgrow_reader', password: 'reader' })
  const to = newPath()
  await expect(reverseFrom(reader.href, schema, { to })).rejects.toMatchObject({
    code: 'OUTGROW_TARGET_PRIVILEGES',
    message: expect.stringContaining('row-level security policy') as string,
  })
  const onStep = async (title: string) => {
    if (title === 'Copy the rows')
      await database.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      )
  }
  await expect(reverseFrom(database.url, schema, { to, onStep })).rejects.toMatchObject({
    code: 'OUTGROW_POSTGRES_LOST',
  })
  expect(parts(to)).toEqual([])
})
