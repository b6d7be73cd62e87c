import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { localPath, requireVisitor } from '../src/require-visitor.ts'
import type { WebEnvironment } from '../src/services.ts'

test('whoever must sign in first comes back to the page with its query, and never to another site', async () => {
  const app = new Hono<WebEnvironment>().all('*', (context) => context.text(requireVisitor(context).id))
  const backFrom = async (path: string, method = 'GET') => {
    const { headers } = await app.request(path, { method })
    return localPath(new URL(headers.get('location') ?? '', 'http://app').searchParams.get('to') ?? undefined)
  }
  const paid = '/billing/success?session=cs_test_a1'
  expect([await backFrom(paid), await backFrom(paid, 'POST')]).toEqual([paid, '/'])
  expect(await backFrom('//evil.example/?a=1')).toBe('/')
  expect(await backFrom('/billing?x=https://evil.example')).toBe('/billing')
})
