import { fact, unconfirmed, type Provider } from './provider.ts'

const docs = 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide'

export const rds: Provider = {
  name: 'rds',
  title: 'Amazon RDS and Aurora',
  hosts: fact(
    '*.rds.amazonaws.com',
    'https://repost.aws/knowledge-center/aurora-postgresql-ssl-certificates',
  ),
  examples: [
    { url: 'postgresql://app:x@app.abc123.eu-west-1.rds.amazonaws.com/app', endpoint: { pool: 'none' } },
    {
      url: 'postgresql://app:x@app.cluster-abc123.eu-west-1.rds.amazonaws.com/app',
      endpoint: { pool: 'none' },
    },
    {
      url: 'postgresql://app:x@app.proxy-abc123.eu-west-1.rds.amazonaws.com/app',
      endpoint: { pool: 'transaction' },
    },
  ],
  endpointOf: ({ host }) => {
    if (!/\.rds\.amazonaws\.com(\.cn)?$/.test(host)) return undefined
    return { pool: /^[^.]+(\.endpoint)?\.proxy-/.test(host) ? 'transaction' : 'none' }
  },
  whereDirect: 'the endpoint of the instance or the cluster in the RDS console, instead of the proxy’s',
  roots: 'file',
  tls: fact(
    'Its certificates are signed by Amazon’s own roots: sslrootcert=global-bundle.pem, to be downloaded from the page on TLS.',
    `${docs}/PostgreSQL.Concepts.General.SSL.html`,
  ),
  pooling: fact(
    'RDS Proxy, a host of its own, gives each transaction any session; the instance’s or the cluster’s endpoint leads past it.',
    'https://aws.amazon.com/blogs/database/amazon-rds-proxy-multiplexing-support-for-postgresql-extended-query-protocol/',
  ),
  network: unconfirmed('Reachable from its VPC, and from outside only if it is publicly accessible.', docs),
  role: fact(
    'The first user has rds_superuser: CREATEDB, CREATEROLE and extensions, but no superuser and no replication.',
    `${docs}/Appendix.PostgreSQL.CommonDBATasks.Roles.rds_superuser.html`,
  ),
  backups: unconfirmed('Automatic, restore to a point in time within up to 35 days.', docs),
}
