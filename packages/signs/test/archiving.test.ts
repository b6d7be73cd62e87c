import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectPostgres, startEmbeddedPostgres } from '@outgrow/databases'
import { temporaryFolder, until } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { readEssentials } from '../src/postgres/essentials.ts'

test('archiving that fails or hangs is seen, and is over when it is turned off', async () => {
  const directory = join(temporaryFolder(), 'server')
  const start = (mode: string) =>
    startEmbeddedPostgres({
      directory,
      settings: [
        'fsync=off',
        'max_connections=30',
        'superuser_reserved_connections=2',
        'reserved_connections=7',
        `archive_mode=${mode}`,
        'archive_command=sh archive.sh', // in the server's folder
      ],
    })
  const server = await start('on')
  const flag = (name: string) => join(server.dataDirectory, name)
  writeFileSync(flag('archive.sh'), 'test ! -e fails && while test -e hangs; do sleep 0.05; done\n')
  const client = await connectPostgres(server.url)
  const archiver = async (lateSeconds?: number) => (await readEssentials(client, lateSeconds)).archiver
  const fillSegment = async () => {
    await client.query('CREATE TABLE IF NOT EXISTS filled ()')
    await client.query('INSERT INTO filled DEFAULT VALUES')
    await client.query('SELECT pg_switch_wal()')
  }
  expect((await readEssentials(client)).connections.limit).toBe(30 - 2 - 7)
  await fillSegment()
  await until(async () => (await archiver()).archived > 0)
  expect(await archiver(0)).toMatchObject({ isFailing: false, isBehind: false })

  writeFileSync(flag('hangs'), '')
  for (let segment = 0; segment < 6; segment++) await fillSegment()
  expect(await archiver(0)).toMatchObject({ isFailing: false, isBehind: true })
  expect(await archiver()).toMatchObject({ isBehind: false }) // it may be slow for ten minutes
  rmSync(flag('hangs'))
  await until(async () => !(await archiver(0)).isBehind)

  writeFileSync(flag('fails'), '')
  await fillSegment()
  await until(async () => (await archiver()).isFailing)
  rmSync(flag('fails'))
  await client.end()
  await server.stop()

  const later = await start('off')
  const again = await connectPostgres(later.url)
  const { failed, ...off } = (await readEssentials(again)).archiver
  expect(failed).toBeGreaterThan(0) // the failure is remembered
  expect(off).toMatchObject({ isFailing: false, isBehind: false })
  await again.end()
  await later.stop('immediate')
})
