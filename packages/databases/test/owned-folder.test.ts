import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeOwnedFolder, removeAbandonedFolders } from '@outgrow/databases'
import { temporaryFolder } from '@outgrow/testing'
import { expect, test } from 'vitest'

const pattern = /^backup-/

/** Another process that owns a folder, with rows in it. */
async function owner(path: string) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'owner-process.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  return {
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

test('a folder goes once its owner was killed, and stays while it lives, whatever process ids say', async () => {
  const parent = temporaryFolder()
  const nobody = 4_194_304 // one more than the highest of Linux
  const killed = await owner(join(parent, `backup-${process.pid}-00000000`))
  await killed.kill()
  const living = await owner(join(parent, `backup-${nobody}-00000000`))
  const own = makeOwnedFolder(join(parent, `backup-${nobody}-11111111`))
  const done: string[] = []

  await removeAbandonedFolders(parent, pattern, async (folder) => void done.push(folder))
  expect(readdirSync(parent)).toEqual([`backup-${nobody}-00000000`, `backup-${nobody}-11111111`])
  expect(readdirSync(join(parent, `backup-${nobody}-00000000`))).toEqual(['database.sqlite', 'owner.lock'])
  expect(done).toEqual([join(parent, `backup-${process.pid}-00000000`)])
  await living.kill()
  own.remove()
  expect(readdirSync(parent)).toEqual([`backup-${nobody}-00000000`])
  await removeAbandonedFolders(parent, pattern)
  expect(readdirSync(parent)).toEqual([])
})

test('a folder that is being made stays, and goes when it is older than a minute', async () => {
  const parent = temporaryFolder()
  for (const name of ['backup-young', 'backup-old', 'backup-old-empty-lock', 'other'])
    mkdirSync(join(parent, name))
  writeFileSync(join(parent, 'backup-old-empty-lock', 'owner.lock'), '')
  const old = Date.now() / 1000 - 61
  for (const name of ['backup-old', 'backup-old-empty-lock', 'other'])
    utimesSync(join(parent, name), old, old)
  await removeAbandonedFolders(parent, pattern)
  expect(readdirSync(parent)).toEqual(['backup-young', 'other'])
})
