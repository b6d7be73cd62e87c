import { expect, test } from 'vitest'
import { directUrlFor, pooledUrlFor } from '../src/pool/pool-urls.ts'
import type { PoolRequest } from '../src/pool/pool-request.ts'

const request: PoolRequest = {
  cores: 2,
  processes: 3,
  connectionLimit: 10,
  poolTimeoutSeconds: 10,
  maxConnections: 100,
  superuserReserved: 3,
  databases: [{ name: 'shop', connectionLimit: null }],
  roles: [{ name: 'app', connectionLimit: null, secret: undefined }],
  auth: 'query',
  server: { host: 'db.example.test', port: 5432, sslmode: 'require', rootCertificate: undefined },
  listen: { host: '127.0.0.1', port: 6432 },
  folder: '/etc/pgbouncer',
}
const same = (text: string) => text

test('the pooled URL keeps nothing that leads past the pooler or that a pooler does not offer', () => {
  const server =
    'postgresql://app:pw@db.example.test/shop?host=db.example.test&hostaddr=192.0.2.7&port=5432&sslmode=verify-full' +
    '&sslnegotiation=direct&sslrootcert=root.crt&sslcert=c.crt&sslkey=c.key&sslpassword=secret&channel_binding=require' +
    '&options=-csearch_path%3Dx&schema=sales&connect_timeout=30'
  expect(pooledUrlFor(request, server, same)).toBe(
    'postgresql://app:pw@127.0.0.1:6432/shop?sslmode=disable&schema=sales&connect_timeout=30&connection_limit=10&pool_timeout=10',
  )
  expect(directUrlFor(request, server, same)).toBe(server)
})
