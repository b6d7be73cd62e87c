import { createHmac, hkdfSync } from 'node:crypto'
import { Failure } from '@outgrow/kit'

/** What backups are encrypted with. It never leaves the process, and nothing prints it. */
export interface BackupKey {
  /** Fingerprint, which tells keys apart and nothing else. */
  readonly id: string
  /** A key for one purpose: an object, or its name. */
  derive: (salt: Uint8Array, context: string) => Buffer
}

/** How a backup is, or must be, protected: `unencrypted` only where somebody has asked for it. */
export type Protection = BackupKey | 'unencrypted'

export function keyIdOf(protection: Protection): string | null {
  return protection === 'unencrypted' ? null : protection.id
}

const howToMake = 'Make one with openssl rand -hex 32, and keep a copy of it where the backups are not.'

/**
 * The key of the environment variable OUTGROW_BACKUP_KEY: 32 random bytes as hex or base64.
 * @throws Failure OUTGROW_BACKUP_KEY_MISSING, OUTGROW_BACKUP_KEY_INVALID
 */
export function readBackupKey(env: Record<string, string | undefined> = process.env): BackupKey {
  const text = env.OUTGROW_BACKUP_KEY?.trim() ?? ''
  if (text === '') {
    throw new Failure({
      code: 'OUTGROW_BACKUP_KEY_MISSING',
      message: 'OUTGROW_BACKUP_KEY is not set.',
      why: 'A backup contains everything that the database does, and is stored where others may read it.',
      fix: `${howToMake} To store backups that anybody can read, pass --unencrypted.`,
    })
  }
  const bytes = decode(text)
  if (bytes?.length !== 32) throw invalid('is not 32 bytes in hex or base64')
  if (isGuessable(bytes)) throw invalid('can be guessed: it is text, or repeats itself')
  return backupKey(bytes)
}

/** A key of 32 bytes that nobody has to be warned of. */
export function backupKey(bytes: Uint8Array): BackupKey {
  const derive = (salt: Uint8Array, context: string) => {
    const info = createHmac('sha256', 'outgrow backup 1').update(context).digest()
    return Buffer.from(hkdfSync('sha256', bytes, salt, info, 32))
  }
  return { id: derive(Buffer.alloc(0), 'key id').toString('hex', 0, 8), derive }
}

function decode(text: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex')
  return /^[\w+/-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : undefined
}

/** Random bytes are this way once in more than 10^13 keys. */
function isGuessable(bytes: Buffer): boolean {
  return new Set(bytes).size < 16 || bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
}

function invalid(how: string): Failure {
  return new Failure({
    code: 'OUTGROW_BACKUP_KEY_INVALID',
    message: `OUTGROW_BACKUP_KEY ${how}.`,
    why: 'Whoever gets the backups can try keys for as long as they like; a password is found that way.',
    fix: howToMake,
  })
}
