import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Failure } from '@outgrow/kit'
import type { PlannedFile } from './plan.ts'

interface PlannedWrite extends PlannedFile {
  path: string
}

/**
 * Where the files go. Those of an earlier run are replaced, and no others.
 * @throws Failure OUTGROW_BACKUP_FILE_THERE, OUTGROW_BACKUP_KEY_CHANGED
 */
export function planWrites(files: PlannedFile[], folder: string): PlannedWrite[] {
  return files.map((file) => {
    const path = join(folder, file.name)
    refuseOthers(path, file.text)
    return { ...file, path }
  })
}

export function writeFiles(writes: PlannedWrite[]): void {
  for (const { path, text, isSecret } of writes) {
    mkdirSync(dirname(path), { recursive: true })
    const partial = `${path}.${process.pid}`
    writeFileSync(partial, text, { mode: 0o600, flush: true })
    chmodSync(partial, isSecret ? 0o640 : 0o644) // whatever the umask
    renameSync(partial, path)
  }
}

function refuseOthers(path: string, text: string): void {
  if (!existsSync(path)) return
  const there = readFileSync(path, 'utf8')
  if (!there.split('\n', 4).join('\n').includes('outgrow backup init')) {
    throw new Failure({
      code: 'OUTGROW_BACKUP_FILE_THERE',
      message: `${path} exists, and was not written by this command.`,
      fix: 'Move it away, or pass another folder with --dir.',
    })
  }
  const before = passphraseIn(there)
  if (before !== undefined && before !== passphraseIn(text)) {
    throw new Failure({
      code: 'OUTGROW_BACKUP_KEY_CHANGED',
      message: `${path} has another passphrase than OUTGROW_BACKUP_KEY.`,
      why: 'The backups that were made with it could not be read any more: pgBackRest never changes the passphrase of a repository.',
      fix: 'Set OUTGROW_BACKUP_KEY to that one; or move the file away, and begin a new repository with another --to.',
    })
  }
}

function passphraseIn(text: string): string | undefined {
  return /^repo1-cipher-pass=(.*)$/m.exec(text)?.[1]
}
