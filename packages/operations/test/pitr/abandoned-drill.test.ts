import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { startEmbeddedPostgres, withPostgres } from '@outgrow/databases'
import { temporaryFolder } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { withScratchFolder } from '../../src/backup/sqlite/scratch.ts'

test('the server of a drill of a base backup that was killed is ended by the next run, and its rows are removed', async () => {
  const workDir = temporaryFolder()
  const { pid } = spawnSync(process.execPath, ['--version'])
  const abandoned = join(workDir, `backup-${pid}-0123abcd`)
  mkdirSync(abandoned, { mode: 0o700 })
  const server = await startEmbeddedPostgres({
    directory: join(abandoned, 'postgres'),
    settings: ['fsync=off'],
  })
  try {
    await withPostgres(server.url, (client) => client.query('CREATE TABLE secrets ()'))
    utimesSync(abandoned, 1000, 1000) // one that was made just now may still be given its lock
    await withScratchFolder(workDir, async () => {})
    expect(existsSync(abandoned)).toBe(false)
    expect(existsSync(server.dataDirectory)).toBe(false)
    await expect(withPostgres(server.url, async () => {})).rejects.toMatchObject({
      code: 'OUTGROW_POSTGRES_UNREACHABLE',
    })
  } finally {
    if (existsSync(server.dataDirectory)) await server.stop('immediate')
    rmSync(dirname(server.dataDirectory), { recursive: true, force: true })
  }
})
