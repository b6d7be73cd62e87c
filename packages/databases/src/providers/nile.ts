import { unconfirmed, type Provider } from './provider.ts'

const docs = 'https://www.thenile.dev/docs'

export const nile: Provider = {
  name: 'nile',
  title: 'Nile',
  examples: [{ url: 'postgresql://app:x@us-west-2.db.thenile.dev:5432/app', endpoint: { pool: 'unknown' } }],
  endpointOf: ({ host }) => (/(^|\.)db\.thenile\.dev$/.test(host) ? { pool: 'unknown' } : undefined),
  unsupported: unconfirmed(
    'It keeps each tenant in a virtual database of its own: every table of a tenant needs its tenant_id in the key, which a schema that moves here does not have.',
    `${docs}/tenant-virtualization/introduction`,
  ),
  roots: 'unknown',
  tls: unconfirmed('TLS is required.', docs),
  pooling: unconfirmed('Connections are pooled.', docs),
  network: unconfirmed('Public.', docs),
  role: unconfirmed('The user is not a superuser.', docs),
  limits: unconfirmed('Some of Postgres’ features are missing.', `${docs}/postgres/introduction`),
  backups: unconfirmed('Automatic.', docs),
}
