import { fact, unconfirmed, type Provider } from './provider.ts'

const docs = 'https://learn.microsoft.com/azure/postgresql'

export const azure: Provider = {
  name: 'azure',
  title: 'Azure Database for PostgreSQL',
  hosts: unconfirmed('*.postgres.database.azure.com', docs),
  examples: [
    {
      url: 'postgresql://app:x@app.postgres.database.azure.com:5432/app',
      endpoint: { pool: 'none' },
      pooled: 'postgresql://app:x@app.postgres.database.azure.com:6432/app',
    },
    {
      url: 'postgresql://app:x@app.postgres.database.azure.com:6432/app',
      endpoint: { pool: 'transaction' },
      direct: 'postgresql://app:x@app.postgres.database.azure.com:5432/app',
    },
  ],
  endpointOf: ({ host, port }) =>
    /\.postgres\.database\.(azure\.com|chinacloudapi\.cn|usgovcloudapi\.net)$/.test(host)
      ? { pool: port === 6432 ? 'transaction' : 'none' }
      : undefined,
  directOf: () => ({ port: 5432 }),
  pooledOf: () => ({ port: 6432 }),
  roots: 'unknown',
  tls: unconfirmed('TLS is required; the roots are public ones.', docs),
  pooling: fact(
    'Port 6432 of the same host is PgBouncer, if it is enabled.',
    `${docs}/connectivity/concepts-pgbouncer`,
  ),
  network: unconfirmed('Public with firewall rules, or in a virtual network.', docs),
  role: unconfirmed('The administrator has azure_pg_admin, which is no superuser.', docs),
  limits: unconfirmed('Extensions must be allowed first, in the server parameter azure.extensions.', docs),
  backups: unconfirmed('Automatic, restore to a point in time within 7 to 35 days.', docs),
}
