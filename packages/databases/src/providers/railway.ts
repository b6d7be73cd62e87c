import { fact, unconfirmed, type Provider } from './provider.ts'

const docs = 'https://docs.railway.com'

export const railway: Provider = {
  name: 'railway',
  title: 'Railway',
  hosts: fact('*.railway.internal, *.proxy.rlwy.net', `${docs}/networking/tcp-proxy`),
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
  tls: unconfirmed('The certificate is self-signed, so it can be checked only with a copy of it.', docs),
  pooling: fact(
    'PgBouncer can be added as a service, in transaction mode by default; DATABASE_UNPOOLED_URL leads past it.',
    `${docs}/databases/postgresql-pgbouncer`,
  ),
  network: fact(
    '*.railway.internal exists only inside the project’s network; *.proxy.rlwy.net is the way in from outside. Services have no outbound IPv6.',
    `${docs}/networking/outbound-networking`,
  ),
  role: fact(
    'It is a server of your own, down to ALTER SYSTEM, and you manage it.',
    `${docs}/databases/postgresql`,
  ),
  limits: fact(
    'The volume is the limit: 0.5 GB on the free plan, 5 GB on Hobby, 50 GB on Pro, and it can grow.',
    `${docs}/reference/volumes`,
  ),
  backups: fact('Of the volume, by hand or by schedule, if you set them up.', `${docs}/reference/volumes`),
  free: {
    sizeBytes: 0.5e9,
    fact: fact('The free plan’s volume holds 0.5 GB.', `${docs}/reference/volumes`),
  },
}
