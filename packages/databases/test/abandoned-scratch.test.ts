import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { removeAbandonedScratch, startEmbeddedPostgres, withPostgres } from '@outgrow/databases'
import { temporaryFolder } from '@outgrow/testing'
import { expect, test } from 'vitest'

test('a scratch server of a process that is gone is ended, and its rows are removed', async () => {
  const folder = temporaryFolder()
  const { pid } = spawnSync(process.execPath, ['--version'])
  const abandoned = join(folder, `outgrow-scratch-${pid}-abcdef`)
  const used = join(folder, `outgrow-scratch-${process.pid}-abcdef`)
  mkdirSync(used)
  mkdirSync(abandoned)
  const server = await startEmbeddedPostgres({ directory: abandoned, settings: ['fsync=off'] })
  await withPostgres(server.url, (client) => client.query('CREATE TABLE secrets ()'))

  await removeAbandonedScratch(folder)
  expect(readdirSync(folder)).toEqual([`outgrow-scratch-${process.pid}-abcdef`])
  expect(existsSync(server.dataDirectory)).toBe(false)
  await expect(withPostgres(server.url, async () => {})).rejects.toMatchObject({
    code: 'OUTGROW_POSTGRES_UNREACHABLE',
  })
})
