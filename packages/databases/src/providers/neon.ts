import { fact, type Provider } from './provider.ts'

const docs = 'https://neon.com/docs'
const isPooled = (host: string) => /^[^.]+-pooler\./.test(host)

export const neon: Provider = {
  name: 'neon',
  title: 'Neon',
  hosts: fact('*.neon.tech', `${docs}/connect/connection-pooling`),
  examples: [
    {
      url: 'postgresql://app:x@ep-cool-darkness-123456.us-east-2.aws.neon.tech/app?sslmode=require',
      endpoint: { pool: 'none' },
      pooled: 'postgresql://app:x@ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech/app?sslmode=require',
    },
    {
      url: 'postgresql://app:x@ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech/app?sslmode=require',
      endpoint: { pool: 'transaction' },
      direct: 'postgresql://app:x@ep-cool-darkness-123456.us-east-2.aws.neon.tech/app?sslmode=require',
    },
  ],
  endpointOf: ({ host }) =>
    host.endsWith('.neon.tech') ? { pool: isPooled(host) ? 'transaction' : 'none' } : undefined,
  directOf: ({ host }) => ({ host: isPooled(host) ? host.replace('-pooler.', '.') : host }),
  pooledOf: ({ host }) => ({ host: isPooled(host) ? host : host.replace('.', '-pooler.') }),
  roots: 'system',
  tls: fact(
    'TLS is required; sslmode=verify-full works with the roots of the system.',
    `${docs}/connect/connect-securely`,
  ),
  pooling: fact(
    'A host with -pooler is PgBouncer in transaction mode; without it, the same host is direct.',
    `${docs}/connect/connection-pooling`,
  ),
  role: fact(
    'Roles made in the console belong to neon_superuser: CREATEDB and CREATEROLE, but no superuser.',
    `${docs}/manage/roles`,
  ),
  limits: fact(
    'The smallest compute (0.25 CU) has 104 direct connections, 7 of them reserved.',
    'https://neon.com/faqs/postgres-services-built-in-connection-pooling',
  ),
  backups: fact(
    'Restore to a point in time: 6 hours on the free plan, up to 7 days on Launch, 30 on Scale.',
    `${docs}/introduction/plans`,
  ),
  free: {
    sizeBytes: 0.5e9,
    fact: fact('The free plan holds 0.5 GB a project.', `${docs}/introduction/plans`),
  },
  sleeps: fact('A compute is suspended after 5 minutes without use.', `${docs}/introduction/plans`),
}
