import type { ExaminedConnection } from '@outgrow/databases'
import { judged, type Sign, type Threshold } from '../level.ts'

const name = 'connection-security'

const threshold: Threshold = {
  watch: 1,
  unit: 'count',
  source: 'https://www.postgresql.org/docs/current/libpq-ssl.html: only verify-full proves who answers',
}

const seen = {
  plain: 'not encrypted: passwords and rows can be read on the way',
  encrypted: 'encrypted, but not verified: anybody between could have answered',
  certificate: 'encrypted; the certificate is verified, its name is not',
  verified: 'encrypted and verified',
} as const

const advice = {
  system: 'Add sslmode=verify-full&sslrootcert=system to the URL.',
  file: 'Download the provider’s root certificate, and add sslmode=verify-full&sslrootcert=<file> to the URL.',
  unknown:
    'Add sslmode=verify-full to the URL, and sslrootcert=<file> unless the system trusts the certificate.',
} as const

const where = {
  machine: 'on this machine',
  provider: 'inside the provider’s network',
  network: 'in a private network; who else is in it was not measured',
} as const

/** Judges whether it is known who answers; on this machine and in the provider’s own network nobody else is there. */
export function connectionSign({ protection, within, roots }: ExaminedConnection): Sign {
  const sign = { title: 'Connection security', advice: advice[roots] }
  if (protection === 'verified') return judged(name, threshold, { ...sign, value: 0, text: seen.verified })
  if (within === undefined) return judged(name, threshold, { ...sign, value: 1, text: seen[protection] })
  return judged(name, threshold, { ...sign, value: within === 'network' ? null : 0, text: where[within] })
}
