import { fact, unconfirmed, type Provider } from './provider.ts'

const docs = 'https://render.com'

export const render: Provider = {
  name: 'render',
  title: 'Render',
  hosts: unconfirmed('dpg-…, dpg-….<region>-postgres.render.com', docs),
  examples: [
    { url: 'postgresql://app:x@dpg-abc123-a/app', endpoint: { pool: 'none', isPrivate: true } },
    { url: 'postgresql://app:x@dpg-abc123-a.oregon-postgres.render.com/app', endpoint: { pool: 'none' } },
  ],
  endpointOf: ({ host }) => {
    if (host.endsWith('-postgres.render.com')) return { pool: 'none' }
    return /^dpg-[a-z0-9]+-[a-z]$/.test(host) ? { pool: 'none', isPrivate: true } : undefined
  },
  wherePublic: 'Connect in the dashboard: “External”',
  roots: 'unknown',
  tls: fact(
    'TLS is required from outside; inside it is not.',
    `${docs}/tutorials/postgres-on-render/introduction`,
  ),
  pooling: fact('There is no pooler.', `${docs}/tutorials/postgres-on-render/introduction`),
  network: unconfirmed('dpg-… without a domain exists only inside Render, in the same region.', docs),
  role: unconfirmed('The user is not a superuser.', docs),
  limits: fact('97 connections, more with 6 GB of memory.', `${docs}/docs/databases`),
  backups: fact(
    'Restore to a point in time: 3 days, or 7 in a Pro workspace; none on the free plan.',
    `${docs}/tutorials/postgres-on-render/backups-and-pitr`,
  ),
  free: {
    sizeBytes: 1e9,
    fact: unconfirmed('The free plan holds 1 GB and expires.', docs),
  },
}
