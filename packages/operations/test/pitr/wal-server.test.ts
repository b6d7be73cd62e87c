import { writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { temporaryFolder } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { storeWalFile } from '../../src/backup/pitr/archive-file.ts'
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

function ask(socketPath: string, name: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ socketPath, path: `/${name}` }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode))
    }).on('error', reject)
  })
}
