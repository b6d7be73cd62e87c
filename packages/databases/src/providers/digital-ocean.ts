import { fact, unconfirmed, type Provider } from './provider.ts'

const docs = 'https://docs.digitalocean.com/products/databases/postgresql'

export const digitalOcean: Provider = {
  name: 'digital-ocean',
  title: 'DigitalOcean',
  hosts: unconfirmed('*.ondigitalocean.com', docs),
  examples: [
    {
      url: 'postgresql://doadmin:x@app-do-user-1-0.k.db.ondigitalocean.com:25060/defaultdb',
      endpoint: { pool: 'none' },
    },
    {
      url: 'postgresql://doadmin:x@app-do-user-1-0.k.db.ondigitalocean.com:25061/app-pool',
      endpoint: { pool: 'transaction' },
    },
    {
      url: 'postgresql://doadmin:x@private-app-do-user-1-0.k.db.ondigitalocean.com:25060/defaultdb',
      endpoint: { pool: 'none', isPrivate: true },
    },
  ],
  endpointOf: ({ host, port }) =>
    host.endsWith('.ondigitalocean.com')
      ? {
          pool: port === 25061 ? 'transaction' : 'none',
          ...(host.startsWith('private-') && { isPrivate: true }),
        }
      : undefined,
  // A pool has a name of its own in place of the database's, so its URL does not say which database it is.
  whereDirect:
    'the cluster’s own connection details: port 25060, and the database’s name in place of the pool’s',
  wherePublic: 'the cluster’s connection details: “Public network”',
  roots: 'file',
  tls: unconfirmed(
    'Its certificates are signed by the project’s own root: download ca-certificate.crt and name it with sslrootcert.',
    docs,
  ),
  pooling: unconfirmed(
    'Pools are objects of their own, on port 25061, with a name in place of the database’s.',
    docs,
  ),
  network: unconfirmed('private-… exists only inside the VPC.', docs),
  role: unconfirmed('doadmin is not a superuser.', docs),
  limits: fact('25 connections for each GB of memory.', `${docs}/how-to/manage-connection-pools/`),
  backups: fact('Restore to a point in time within 7 days.', `${docs}/details/limits/`),
}
