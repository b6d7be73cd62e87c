import { fact, unconfirmed, type Provider } from './provider.ts'

const docs = 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide'

export const rds: Provider = {
  name: 'rds',
  title: 'Amazon RDS and Aurora',
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
  pooling: unconfirmed(
    'RDS Proxy, a host of its own, shares sessions a transaction; Postgres is reached by the instance’s or the cluster’s endpoint.',
    `${docs}/rds-proxy.html`,
  ),
  network: unconfirmed(
    'Reachable from its VPC, and from outside only if it is publicly accessible.',
    `${docs}/USER_VPC.WorkingWithRDSInstanceinaVPC.html`,
  ),
  role: unconfirmed(
    'The master user has rds_superuser, which is no superuser; replication by rds_replication.',
    `${docs}/Appendix.PostgreSQL.CommonDBATasks.Roles.html`,
  ),
  limits: unconfirmed('max_connections follows the memory of the instance.', `${docs}/CHAP_Limits.html`),
  backups: unconfirmed(
    'Automatic, restore to a point in time within up to 35 days.',
    `${docs}/USER_WorkingWithAutomatedBackups.html`,
  ),
}
