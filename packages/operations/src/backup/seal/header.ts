import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { Failure } from '@outgrow/kit'
import { keyIdOf, type Protection } from './backup-key.ts'

/**
 * Begins every sealed object, in the clear:
 * magic (8 bytes), version (1), 1 when encrypted (1), key id or zeros (8), salt (32), CRC-32 of these (4).
 */
export const headerBytes = 54

const magic = Buffer.from('OUTGROW\0', 'latin1')
const version = 1

export function newHeader(protection: Protection): Buffer {
  const keyId = keyIdOf(protection)
  const head = Buffer.concat([
    magic,
    Buffer.of(version, keyId === null ? 0 : 1),
    Buffer.from(keyId ?? '0'.repeat(16), 'hex'),
    randomBytes(32),
  ])
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(head))
  return Buffer.concat([head, check])
}

/**
 * Its salt.
 * @throws Failure OUTGROW_BACKUP_DAMAGED, OUTGROW_BACKUP_VERSION, OUTGROW_BACKUP_KEY_WRONG, OUTGROW_BACKUP_UNENCRYPTED
 */
export function readHeader(header: Buffer, name: string, protection: Protection): Buffer {
  if (header.length < headerBytes) throw damaged(name, 'it is cut off')
  const head = header.subarray(0, headerBytes - 4)
  if (!head.subarray(0, 8).equals(magic) || header.readUInt32BE(headerBytes - 4) !== crc32(head))
    throw damaged(name, 'it does not begin as an object of a backup does')
  if (head[8] !== version) throw unknownVersion(name)
  refuseOtherKey(name, head[9] === 1 ? head.toString('hex', 10, 18) : null, protection)
  return head.subarray(18)
}

/** @throws Failure OUTGROW_BACKUP_KEY_WRONG, OUTGROW_BACKUP_UNENCRYPTED */
export function refuseOtherKey(name: string, keyId: string | null, protection: Protection): void {
  const expected = keyIdOf(protection)
  if (keyId === expected) return
  if (keyId === null) {
    throw new Failure({
      code: 'OUTGROW_BACKUP_UNENCRYPTED',
      message: `${name} is not encrypted, although a key was given.`,
      why: 'Whoever can write to the storage could have put it there.',
      fix: 'If you made it with --unencrypted, pass --unencrypted here, too.',
    })
  }
  throw new Failure({
    code: 'OUTGROW_BACKUP_KEY_WRONG',
    message: `${name} was encrypted with the key ${keyId}${expected === null ? '' : `, and OUTGROW_BACKUP_KEY is the key ${expected}`}.`,
    fix: 'Set OUTGROW_BACKUP_KEY to the key that the backup was made with; `outgrow backup list` shows the id of each.',
  })
}

export function unknownVersion(name: string): Failure {
  return new Failure({
    code: 'OUTGROW_BACKUP_VERSION',
    message: `${name} was written in a format that this version of Outgrow does not know.`,
    fix: 'Use the version of Outgrow that made the backup, or a later one.',
  })
}

export function damaged(name: string, how: string): Failure {
  return new Failure({
    code: 'OUTGROW_BACKUP_DAMAGED',
    message: `${name} is damaged: ${how}.`,
    why: 'What is stored is not what was written. Nothing of it is used.',
    fix: 'Restore another backup (`outgrow backup list`), and find out what changed the storage.',
  })
}
