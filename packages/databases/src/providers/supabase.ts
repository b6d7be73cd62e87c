import { fact, type Provider } from './provider.ts'

const docs = 'https://supabase.com/docs/guides'

export const supabase: Provider = {
  name: 'supabase',
  title: 'Supabase',
  hosts: fact('db.<project>.supabase.co, *.pooler.supabase.com', `${docs}/database/connecting-to-postgres`),
  examples: [
    {
      url: 'postgresql://postgres:x@db.abcdefghijkl.supabase.co:5432/postgres',
      endpoint: { pool: 'none', isIpv6Only: true },
    },
    {
      url: 'postgresql://postgres:x@db.abcdefghijkl.supabase.co:6543/postgres',
      endpoint: { pool: 'transaction', isIpv6Only: true },
      direct: 'postgresql://postgres:x@db.abcdefghijkl.supabase.co:5432/postgres',
    },
    {
      url: 'postgresql://postgres.abcdefghijkl:x@aws-0-eu-west-1.pooler.supabase.com:5432/postgres',
      endpoint: { pool: 'session' },
      pooled: 'postgresql://postgres.abcdefghijkl:x@aws-0-eu-west-1.pooler.supabase.com:6543/postgres',
    },
    {
      url: 'postgresql://postgres.abcdefghijkl:x@aws-0-eu-west-1.pooler.supabase.com:6543/postgres',
      endpoint: { pool: 'transaction' },
      direct: 'postgresql://postgres.abcdefghijkl:x@aws-0-eu-west-1.pooler.supabase.com:5432/postgres',
    },
  ],
  endpointOf: ({ host, port }) => {
    if (host.endsWith('.pooler.supabase.com')) return { pool: port === 6543 ? 'transaction' : 'session' }
    if (/^db\..+\.supabase\.co$/.test(host))
      return { pool: port === 6543 ? 'transaction' : 'none', isIpv6Only: true }
    return undefined
  },
  // Port 5432 of the shared pooler keeps the session, and has IPv4 where the direct host has none.
  directOf: ({ port }) => (port === 6543 ? { port: 5432 } : {}),
  pooledOf: ({ host }) => (host.endsWith('.pooler.supabase.com') ? { port: 6543 } : undefined),
  whereDirect: 'Connect in the dashboard: “Session pooler”, or “Direct connection” where there is IPv6',
  roots: 'file',
  tls: fact(
    'Its certificates are signed by its own root: download it in the dashboard and name it with sslrootcert.',
    `${docs}/platform/ssl-enforcement`,
  ),
  pooling: fact(
    'Port 6543 is a pooler in transaction mode, port 5432 of *.pooler.supabase.com one in session mode, for which the user is postgres.<project>.',
    `${docs}/database/connecting-to-postgres`,
  ),
  network: fact(
    'The direct host db.<project>.supabase.co has IPv6 only, unless the project has the IPv4 add-on; the pooler has IPv4.',
    `${docs}/database/connecting-to-postgres`,
  ),
  role: fact('postgres is not a superuser.', `${docs}/database/postgres/roles-superuser`),
  limits: fact(
    'In session mode, clients are limited to the size of the pool.',
    `${docs}/database/connecting-to-postgres`,
  ),
  backups: fact(
    'Daily: the Pro plan keeps 7 days, Team 14; on the free plan you are to export yourself.',
    `${docs}/platform/backups`,
  ),
  free: {
    sizeBytes: 500e6,
    fact: fact('A free project becomes read-only above 500 MB.', `${docs}/platform/database-size`),
  },
  pauses: fact('A free project is paused after a week without use.', 'https://supabase.com/pricing'),
}
