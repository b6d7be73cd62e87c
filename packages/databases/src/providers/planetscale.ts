import { fact, type Provider } from './provider.ts'

const docs = 'https://planetscale.com/docs/postgres'

export const planetscale: Provider = {
  name: 'planetscale',
  title: 'PlanetScale',
  hosts: fact('*.psdb.cloud', `${docs}/connecting/quickstart`),
  examples: [
    {
      url: 'postgresql://postgres.abc:x@abc-useast1-1.horizon.psdb.cloud:5432/app?sslmode=verify-full&sslrootcert=system',
      endpoint: { pool: 'none' },
      pooled:
        'postgresql://postgres.abc:x@abc-useast1-1.horizon.psdb.cloud:6432/app?sslmode=verify-full&sslrootcert=system',
    },
    {
      url: 'postgresql://postgres.abc:x@abc-useast1-1.horizon.psdb.cloud:6432/app',
      endpoint: { pool: 'transaction' },
      direct: 'postgresql://postgres.abc:x@abc-useast1-1.horizon.psdb.cloud:5432/app',
    },
  ],
  endpointOf: ({ host, port }) =>
    host.endsWith('.psdb.cloud') ? { pool: port === 6432 ? 'transaction' : 'none' } : undefined,
  directOf: () => ({ port: 5432 }),
  pooledOf: () => ({ port: 6432 }),
  roots: 'system',
  tls: fact('TLS is required: sslmode=verify-full&sslrootcert=system.', `${docs}/connecting/quickstart`),
  pooling: fact(
    'Port 6432 is PgBouncer in transaction mode, port 5432 is direct.',
    `${docs}/connecting/pgbouncer`,
  ),
  role: fact(
    'The default role has nearly a superuser’s rights; applications are to use a role of their own.',
    `${docs}/connecting`,
  ),
}
