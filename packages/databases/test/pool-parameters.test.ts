import { expect, inject, test } from 'vitest'
import {
  connectionLimit,
  emptyCounters,
  parsePostgresUrl,
  poolTimeoutSeconds,
  postgresAdapterFactory,
  TransactionScope,
} from '../src/index.ts'

const withParameters = (parameters: string) => {
  const url = new URL(inject('postgresUrl'))
  for (const [name, value] of new URLSearchParams(parameters)) url.searchParams.set(name, value)
  return parsePostgresUrl(url.href)
}

test.each([
  ['', 10, 10],
  ['connection_limit=&pool_timeout=', 10, 10],
  ['connection_limit=1&pool_timeout=0', 1, 0],
  ['connection_limit=40&pool_timeout=3', 40, 3],
])('%j means a limit of %i and a timeout of %i', (parameters, limit, timeout) => {
  const url = withParameters(parameters)
  expect([connectionLimit(url), poolTimeoutSeconds(url)]).toEqual([limit, timeout])
})

test.each([
  'connection_limit=ten',
  'connection_limit=0',
  'connection_limit=-1',
  'connection_limit=2.5',
  'connection_limit=0x10',
  'connection_limit=Infinity',
  'pool_timeout=soon',
  'pool_timeout=-1',
  'pool_timeout=99999999999',
])('%s is refused', async (parameters) => {
  const url = withParameters(parameters)
  await expect(
    postgresAdapterFactory({ url, counters: emptyCounters(), scope: new TransactionScope() }),
  ).rejects.toMatchObject({
    code: 'OUTGROW_URL_INVALID',
    message: expect.stringContaining(`${parameters} is not a whole number`) as string,
  })
})
