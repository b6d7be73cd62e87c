import { fact, type Provider } from './provider.ts'

const docs = 'https://xata.io/docs'
const suffix = /-(rw|ro|r|pooler)(?=\.)/
const withSuffix = (host: string, name: string) =>
  suffix.test(host) ? host.replace(suffix, `-${name}`) : host.replace('.', `-${name}.`)

export const xata: Provider = {
  name: 'xata',
  title: 'Xata',
  hosts: fact('*.xata.sh', `${docs}/changelog`),
  examples: [
    {
      url: 'postgresql://xata:x@abc123-rw.us-east-1.xata.sh/app',
      endpoint: { pool: 'none' },
      pooled: 'postgresql://xata:x@abc123-pooler.us-east-1.xata.sh/app',
    },
    {
      url: 'postgresql://xata:x@abc123-pooler.us-east-1.xata.sh/app',
      endpoint: { pool: 'transaction' },
      direct: 'postgresql://xata:x@abc123-rw.us-east-1.xata.sh/app',
    },
    {
      url: 'postgresql://xata:x@abc123.us-east-1.xata.sh/app',
      endpoint: { pool: 'unknown' },
      direct: 'postgresql://xata:x@abc123-rw.us-east-1.xata.sh/app',
    },
  ],
  endpointOf: ({ host }) => {
    if (!host.endsWith('.xata.sh')) return undefined
    const kind = suffix.exec(host)?.[1]
    return { pool: kind === 'pooler' ? 'transaction' : kind === undefined ? 'unknown' : 'none' }
  },
  directOf: ({ host }) => ({ host: withSuffix(host, 'rw') }),
  pooledOf: ({ host }) => ({ host: withSuffix(host, 'pooler') }),
  roots: 'unknown',
  pooling: fact(
    '-pooler in the host is PgBouncer in transaction mode, -rw the primary; a host without either is pooled for serverless connections.',
    `${docs}/changelog`,
  ),
  sleeps: fact(
    'A branch can scale to zero.',
    'https://xata.io/blog/a-connection-pooler-for-every-postgres-branch',
  ),
}
