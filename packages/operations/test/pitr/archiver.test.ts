import { expect, test } from 'vitest'
import { ArchiverWatch, refuseNoArchiver, type Archiver } from '../../src/backup/pitr/archiver.ts'

const minutes = 60_000
const archiver: Archiver = {
  mode: 'on',
  command: "'node' 'archive-wal'",
  archived: 7,
  failed: 2,
  lastFailed: null,
}

test.each([
  ['off', archiver.command],
  ['on', ''],
  ['on', 'cp %p /elsewhere/%f'],
])('archive_mode %s with the archive_command "%s" cannot keep a base backup', (mode, command) => {
  expect(() => refuseNoArchiver({ mode, command })).toThrow('does not archive its WAL')
})

test('whoever waits for an archiver ends when it fails or hangs, and not while it goes on', () => {
  expect(() => refuseNoArchiver(archiver)).not.toThrow()
  const watch = new ArchiverWatch(archiver, 0)
  watch.refuseFailing(archiver, 4 * minutes)
  watch.refuseFailing({ ...archiver, archived: 8 }, 5 * minutes)
  watch.refuseFailing({ ...archiver, archived: 8, failed: 4 }, 9 * minutes)
  expect(() => watch.refuseFailing({ ...archiver, archived: 8 }, 10 * minutes)).toThrow('seems to hang')
  const failed = { ...archiver, failed: 5, lastFailed: '000000010000000000000001' }
  expect(() => watch.refuseFailing(failed, 5 * minutes)).toThrow('000000010000000000000001 failed 3 times')
})
