import type { ExaminedConnection } from '@outgrow/databases'
import { judged, type Sign, type Threshold } from '../level.ts'

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

/** Judges whether it is known who answers; on this machine and in the provider’s own network nobody else is there. */
export function connectionSign({ protection, within, roots }: ExaminedConnection): Sign {
  const isProven = protection === 'verified' || within !== undefined
  const where = within === 'machine' ? 'on this machine' : 'inside the provider’s network'
  return judged('connection-security', threshold, {
    title: 'Connection security',
    value: isProven ? 0 : 1,
    text: within === undefined || protection === 'verified' ? seen[protection] : where,
    advice: advice[roots],
  })
}
