import { fact, unconfirmed, type Provider } from './provider.ts'

const docs = 'https://cloud.google.com/sql/docs/postgres'

export const cloudSql: Provider = {
  name: 'cloud-sql',
  title: 'Google Cloud SQL',
  hosts: fact('a socket in /cloudsql/', `${docs}/samples/cloud-sql-postgres-knex-connect-unix`),
  examples: [
    {
      url: 'postgresql://app:x@localhost/app?host=/cloudsql/project:europe-west1:app',
      endpoint: { pool: 'none' },
    },
  ],
  // By its public address an instance is like any other server.
  endpointOf: ({ host }) => (host.startsWith('/cloudsql/') ? { pool: 'none' } : undefined),
  roots: 'file',
  tls: fact(
    'Through the socket, the Cloud SQL proxy encrypts and checks; sslmode does not matter there.',
    `${docs}/samples/cloud-sql-postgres-knex-connect-unix`,
  ),
  pooling: unconfirmed('Managed connection pooling, on Enterprise Plus only.', docs),
  network: fact(
    'A socket in /cloudsql/ exists only where the Cloud SQL proxy runs.',
    `${docs}/samples/cloud-sql-postgres-knex-connect-unix`,
  ),
  role: unconfirmed('postgres has cloudsqlsuperuser, which is no superuser.', docs),
}
