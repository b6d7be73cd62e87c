import { fact, unconfirmed, type Provider } from './provider.ts'

const docs = 'https://fly.io/docs/mpg'
const moved = (host: string, to: string) => ({ host: host.replace(/^(pgbouncer|direct)\./, `${to}.`) })

export const fly: Provider = {
  name: 'fly',
  title: 'Fly Managed Postgres',
  hosts: fact('pgbouncer.<cluster>.flympg.net, direct.<cluster>.flympg.net', `${docs}/client-configuration/`),
  examples: [
    {
      url: 'postgresql://fly-user:x@pgbouncer.abc123.flympg.net/fly-db',
      endpoint: { pool: 'transaction', isPrivate: true },
      direct: 'postgresql://fly-user:x@direct.abc123.flympg.net/fly-db',
    },
    {
      url: 'postgresql://fly-user:x@direct.abc123.flympg.net/fly-db',
      endpoint: { pool: 'none', isPrivate: true },
      pooled: 'postgresql://fly-user:x@pgbouncer.abc123.flympg.net/fly-db',
    },
  ],
  endpointOf: ({ host }) => {
    if (!host.endsWith('.flympg.net')) return undefined
    return { pool: host.startsWith('pgbouncer.') ? 'transaction' : 'none', isPrivate: true }
  },
  directOf: ({ host }) => moved(host, 'direct'),
  pooledOf: ({ host }) => moved(host, 'pgbouncer'),
  wherePublic: 'fly mpg proxy, which opens a port on localhost, or WireGuard',
  roots: 'unknown',
  tls: fact('Connections are encrypted without being asked to.', `${docs}/client-configuration/`),
  pooling: fact(
    'pgbouncer.<cluster>.flympg.net is pooled, direct.<cluster>.flympg.net is not.',
    `${docs}/client-configuration/`,
  ),
  network: fact(
    'The cluster is reachable only from the organization’s private network.',
    `${docs}/create-and-connect/`,
  ),
  role: unconfirmed('fly-user is not a superuser.', docs),
  limits: fact('A cluster begins with 10 GB and at most 500 GB.', `${docs}/create-and-connect/`),
  backups: fact('Automatic.', `${docs}/overview/`),
}
