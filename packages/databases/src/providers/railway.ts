import { fact, unconfirmed, type Provider } from './provider.ts'

const docs = 'https://docs.railway.com'

export const railway: Provider = {
  name: 'railway',
  title: 'Railway',
  examples: [
    {
      url: 'postgresql://postgres:x@postgres.railway.internal:5432/railway',
      endpoint: { pool: 'none', isPrivate: true },
    },
    {
      url: 'postgresql://postgres:x@pgbouncer.railway.internal:5432/railway',
      endpoint: { pool: 'unknown', isPrivate: true },
    },
    { url: 'postgresql://postgres:x@autorack.proxy.rlwy.net:12345/railway', endpoint: { pool: 'unknown' } },
  ],
  endpointOf: ({ host }) => {
    if (host.endsWith('.railway.internal'))
      return { pool: /bouncer/.test(host) ? 'unknown' : 'none', isPrivate: true }
    // The proxy's name does not say which of the two it leads to.
    return host.endsWith('.rlwy.net') ? { pool: 'unknown' } : undefined
  },
  whereDirect: 'DATABASE_UNPOOLED_URL of the service, or DATABASE_PUBLIC_UNPOOLED_URL from outside',
  wherePublic: 'DATABASE_PUBLIC_URL of the service',
  roots: 'unknown',
  tls: unconfirmed(
    'The certificate is self-signed, so it can be checked only with a copy of it.',
    `${docs}/databases/postgresql`,
  ),
  pooling: fact(
    'PgBouncer can be added as a service, in transaction mode by default; DATABASE_UNPOOLED_URL leads past it.',
    `${docs}/databases/postgresql-pgbouncer`,
  ),
  network: fact(
    '*.railway.internal exists only inside the project’s network; environments made before October 2025 have IPv6 only there.',
    `${docs}/private-networking`,
  ),
  role: unconfirmed('postgres is a superuser: it is a server of your own.', `${docs}/databases/postgresql`),
  limits: unconfirmed('The volume’s size is the limit of the database.', `${docs}/volumes`),
  backups: unconfirmed('Backups of the volume, by schedule or by hand.', `${docs}/volumes/backups`),
}
