import { existsSync, mkdirSync, readdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import {
  makeOwnedFolder,
  removeAbandonedScratch,
  startEmbeddedPostgres,
  withPostgres,
} from '@outgrow/databases'
import { temporaryFolder } from '@outgrow/testing'
import { expect, test } from 'vitest'

test('a scratch server of a process that is gone is ended, and its rows are removed', async () => {
  const folder = temporaryFolder()
  const abandoned = join(folder, `outgrow-scratch-${process.pid}-0000abcd`)
  const used = makeOwnedFolder(join(folder, `outgrow-scratch-${process.pid}-00001234`))
  mkdirSync(abandoned)
  const server = await startEmbeddedPostgres({ directory: abandoned, settings: ['fsync=off'] })
  await withPostgres(server.url, (client) => client.query('CREATE TABLE secrets ()'))
  utimesSync(abandoned, 0, 0)

  await removeAbandonedScratch(folder)
  expect(readdirSync(folder)).toEqual([`outgrow-scratch-${process.pid}-00001234`])
  used.remove()
  expect(existsSync(server.dataDirectory)).toBe(false)
  await expect(withPostgres(server.url, async () => {})).rejects.toMatchObject({
    code: 'OUTGROW_POSTGRES_UNREACHABLE',
  })
})
