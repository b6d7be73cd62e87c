import { spawn } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSqlite, openSqliteForLock } from '@outgrow/databases'
import { Choices, ending, temporaryFolder, until } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { makeBackups } from './backups.ts'
import { contentsOf, fillRandomly } from './random-sqlite.ts'

const runs = Number(process.env.OUTGROW_PROPERTY_RUNS ?? 4)
const firstSeed = Number(process.env.OUTGROW_SEED ?? Date.now() % 1_000_000)

/** What the writing process changes, and SQLite's own statistics of it. */
const written = /^(ticks_[ab])$/

test.each(Array.from({ length: runs }, (_, at) => firstSeed + at))(
  'a random database is what it was after backup under writes, damage and restore (seed %i)',
  async (seed) => {
    const choices = new Choices(seed)
    const folder = temporaryFolder()
    const [file, restored, drilled] = ['app.db', 'restored.db', 'again.db'].map((name) =>
      join(folder, name),
    ) as [string, string, string]
    const database = createSqlite(file)
    fillRandomly(database, choices)
    database.exec(
      'CREATE TABLE ticks_a (n INTEGER PRIMARY KEY, bytes BLOB); CREATE TABLE ticks_b (n INTEGER PRIMARY KEY)',
    )
    database.close()
    copyFileSync(file, `${file}.reference`)
    const expected = contentsOf(`${file}.reference`, written)
    // SQLite itself finds rows missing from an index over lower() of a text that is not valid.
    const damage = integrityOf(`${file}.reference`)

    const { backup, restore, drill } = makeBackups()
    let committed = 0
    const writer = spawn(process.execPath, [join(import.meta.dirname, 'writer-process.ts'), file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let before = 0
    {
      await using _ = ending(writer)
      writer.stdout
        .setEncoding('utf8')
        .on('data', (text: string) => (committed = Number(text.trimEnd().split('\n').at(-1))))
      await until(() => committed > 0 || writer.exitCode !== null)
      before = committed
      const manifest = await backup(`file:${file}`)
      expect(manifest.damage).toEqual(damage)
      expect(writer.exitCode).toBeNull()
    }

    const bytes = readFileSync(file)
    writeFileSync(file, bytes.fill(0x2a, 0, choices.whole(bytes.length)))
    expect((await restore(`file:${restored}`)).problems).toEqual(damage)
    expect(contentsOf(restored, written)).toEqual(expected)
    const copy = openSqliteForLock(restored)
    const ticks = (table: string) =>
      copy.prepare(`SELECT n FROM ${table} ORDER BY n`).pluck().all() as number[]
    expect(ticks('ticks_a')).toEqual(ticks('ticks_b'))
    expect(ticks('ticks_a').at(-1)).toBeGreaterThanOrEqual(before)
    copy.exec('INSERT INTO ticks_b VALUES (-1)')
    copy.close()
    expect(integrityOf(restored)).toEqual(damage)
    expect((await drill()).ok).toBe(damage.length === 0)
    await restore(`file:${drilled}`)
    expect(contentsOf(drilled, written)).toEqual(expected)
  },
)

function integrityOf(path: string): string[] {
  const database = openSqliteForLock(path)
  try {
    const lines = database.pragma('integrity_check(20)') as { integrity_check: string }[]
    return lines.map((line) => line.integrity_check).filter((line) => line !== 'ok')
  } finally {
    database.close()
  }
}
