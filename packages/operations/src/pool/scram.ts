import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'

/** As Postgres makes them: scram_iterations. */
const iterations = 4096

/**
 * What Postgres and pgbouncer keep in place of a password (RFC 5803): it proves the password, and is not it.
 * @param password of printable ASCII characters, which SASLprep leaves as they are
 */
export function scramSecret(password: string, salt = randomBytes(16)): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const keyed = (text: string) => createHmac('sha256', salted).update(text).digest()
  const storedKey = createHash('sha256').update(keyed('Client Key')).digest('base64')
  const serverKey = keyed('Server Key').toString('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`
}

/** A password that needs no quoting anywhere. */
export function newPassword(): string {
  return randomBytes(24).toString('base64url')
}
