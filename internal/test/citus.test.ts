import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { citusUrl, readCitus } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'

test.skipIf(citusUrl === undefined)(
  'the client’s contract, billing and the move run on a Citus cluster, where OUTGROW_CITUS_URL names one',
  { timeout: 1_800_000 },
  async () => {
    const root = join(import.meta.dirname, '../..')
    const vitest = join(root, 'node_modules/.bin/vitest')
    const { stdout } = await promisify(execFile)(vitest, ['run', '--config', 'vitest.citus.config.ts'], {
      cwd: root,
      maxBuffer: 64 * 1024 * 1024,
    })
    expect(stdout).toContain('write into packages/operations/src/scale/proof.ts')
  },
)

test('a server that is no coordinator proves nothing', async () => {
  await expect(readCitus(inject('postgresUrl'))).rejects.toThrow('has no extension citus')
})
