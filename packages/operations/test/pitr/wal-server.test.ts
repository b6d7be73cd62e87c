import { writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { temporaryFolder } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { storeWalFile } from '../../src/backup/pitr/archive-file.ts'
import { probeRestore } from '../../src/backup/pitr/probe-restore.ts'
import { recoveryFailure } from '../../src/backup/pitr/recovery-failure.ts'
import { walKey } from '../../src/backup/pitr/wal-files.ts'
import { WalServer } from '../../src/backup/pitr/wal-server.ts'
import { openStorage } from '../../src/backup/storage/open-storage.ts'

const segmentBytes = 16 * (1 << 20)

test('a server that recovers gets no WAL past the chain, though it is archived meanwhile', async () => {
  const folder = temporaryFolder()
  const store = { storage: await openStorage(join(folder, 'store')), protection: 'unencrypted' } as const
  const [first, second] = ['000000010000000000000001', '000000010000000000000002'] as const
  for (const name of [first, second]) {
    writeFileSync(join(folder, name), name)
    await storeWalFile(store, walKey('one', name), join(folder, name))
  }
  const server = await WalServer.listen(
    { ...store, archive: 'one', segmentBytes, lastOfChain: first },
    undefined,
  )
  try {
    expect(await ask(server.socket, first)).toBe(200)
    expect(await ask(server.socket, second)).toBe(404)
    expect(server).toMatchObject({ restored: first, missing: second, problem: undefined })
  } finally {
    server.close()
  }
})

test('the program that restores WAL is tried before a server rests on it', async () => {
  const storage = await openStorage(join(temporaryFolder(), 'store'))
  const server = await WalServer.listen(
    { storage, protection: 'unencrypted', archive: 'one', segmentBytes, lastOfChain: '' },
    undefined,
  )
  const { signal } = new AbortController()
  await probeRestore(server, undefined, signal)
  expect(server).toMatchObject({ restored: undefined, missing: undefined, problem: undefined })
  server.close()
  await expect(probeRestore(server, undefined, signal)).rejects.toMatchObject({
    code: 'OUTGROW_RECOVERY_ACCOUNT',
  })
})

test.each([
  ['FATAL:  could not write to file "base/5/1249": No space left on device', 'OUTGROW_DISK_FULL'],
  [
    'FATAL:  could not restore file "000000010000000000000003" from archive: child process exited with exit code 126',
    'OUTGROW_RECOVERY_STOPPED',
  ],
  ['PANIC:  could not locate a valid checkpoint record at 0/2000028', 'OUTGROW_RECOVERY_FAILED'],
  ['FATAL:  WAL ends before end of online backup', 'OUTGROW_RECOVERY_FAILED'],
])('a server that stopped with %s failed with %s', (line, code) => {
  const log = `LOG:  starting\n2026-11-26 10:00:00 UTC [7] ${line}\nLOG:  shut down\n`
  expect(recoveryFailure(new Error('it stopped'), log, '/work')).toMatchObject({ code })
})

function ask(socketPath: string, name: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ socketPath, path: `/${name}` }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode))
    }).on('error', reject)
  })
}
