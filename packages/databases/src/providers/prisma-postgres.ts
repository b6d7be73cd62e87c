import { fact, unconfirmed, type Provider } from './provider.ts'

const docs = 'https://www.prisma.io/docs/postgres'

export const prismaPostgres: Provider = {
  name: 'prisma-postgres',
  title: 'Prisma Postgres',
  hosts: fact('db.prisma.io, pooled.db.prisma.io', `${docs}/database/connecting-to-your-database`),
  examples: [
    {
      url: 'postgresql://app:x@pooled.db.prisma.io:5432/postgres?sslmode=require',
      endpoint: { pool: 'transaction' },
      direct: 'postgresql://app:x@db.prisma.io:5432/postgres?sslmode=require',
    },
    {
      url: 'postgresql://app:x@db.prisma.io:5432/postgres?sslmode=require',
      endpoint: { pool: 'none' },
      pooled: 'postgresql://app:x@pooled.db.prisma.io:5432/postgres?sslmode=require',
    },
  ],
  endpointOf: ({ host }) => {
    if (host === 'pooled.db.prisma.io') return { pool: 'transaction' }
    return host === 'db.prisma.io' ? { pool: 'none' } : undefined
  },
  directOf: () => ({ host: 'db.prisma.io' }),
  pooledOf: () => ({ host: 'pooled.db.prisma.io' }),
  roots: 'unknown',
  tls: fact('TLS is required.', `${docs}/database/connecting-to-your-database`),
  pooling: fact(
    'pooled.db.prisma.io is PgBouncer in transaction mode, db.prisma.io is direct; the credentials are the same.',
    `${docs}/database/connecting-to-your-database`,
  ),
  role: unconfirmed('The user is not a superuser.', docs),
  limits: fact(
    '10 direct connections on the free plan, 5 of them reserved; idle pooled ones are closed after an hour.',
    `${docs}/database/connection-pooling`,
  ),
  backups: fact('Daily on paid plans, on days with activity.', docs),
}
