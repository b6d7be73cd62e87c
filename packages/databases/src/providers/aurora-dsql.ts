import { fact, unconfirmed, type Provider } from './provider.ts'

const docs = 'https://docs.aws.amazon.com/aurora-dsql/latest/userguide'
const missing = `${docs}/working-with-postgresql-compatibility-unsupported-features.html`

export const auroraDsql: Provider = {
  name: 'aurora-dsql',
  title: 'Amazon Aurora DSQL',
  hosts: unconfirmed('*.dsql.<region>.on.aws', docs),
  examples: [
    { url: 'postgresql://admin:x@abc123.dsql.us-east-1.on.aws/postgres', endpoint: { pool: 'none' } },
  ],
  endpointOf: ({ host }) => (/\.dsql[^.]*\.[a-z0-9-]+\.on\.aws$/.test(host) ? { pool: 'none' } : undefined),
  unsupported: fact(
    'It has no foreign keys, no triggers, no TRUNCATE, no SAVEPOINT and no PL/pgSQL.',
    missing,
  ),
  roots: 'unknown',
  role: fact('There is no superuser, and one database a cluster.', missing),
  limits: fact('Without extensions, temporary tables and partitions.', missing),
}
