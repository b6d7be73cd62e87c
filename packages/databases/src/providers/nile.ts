import { unconfirmed, type Provider } from './provider.ts'

const docs = 'https://www.thenile.dev/docs'

export const nile: Provider = {
  name: 'nile',
  title: 'Nile',
  hosts: unconfirmed('*.db.thenile.dev', docs),
  examples: [{ url: 'postgresql://app:x@us-west-2.db.thenile.dev:5432/app', endpoint: { pool: 'unknown' } }],
  endpointOf: ({ host }) => (/(^|\.)db\.thenile\.dev$/.test(host) ? { pool: 'unknown' } : undefined),
  unsupported: unconfirmed(
    'It keeps each tenant in a virtual database of its own: every table of a tenant needs its tenant_id in the key, which a schema that moves here does not have.',
    docs,
  ),
  roots: 'unknown',
}
