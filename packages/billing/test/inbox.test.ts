import { Stripe } from 'stripe'
import { backends, isThere } from '@outgrow/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createWebhookHandler, type WebhookHandler } from '../src/index.ts'
import { eventBody, openShop, secret, type Shop } from './shop.ts'

const signer = new Stripe('sk_test_x').webhooks
const now = () => Math.floor(Date.now() / 1000)
const good = eventBody(
  'invoice.paid',
  { id: 'in_1', object: 'invoice', customer: 'cus_1' },
  { id: 'evt_good', created: 1 },
)

const signed = (payload: string, { by = secret, at = now() } = {}) =>
  signer.generateTestHeaderString({ payload, secret: by, timestamp: at })
const post = (body: BodyInit | null, headers: Record<string, string> = {}) =>
  new Request('http://app/webhook', { method: 'POST', headers, body })
const delivery = (payload: string, header = signed(payload)) => post(payload, { 'stripe-signature': header })

/** A signed body with one thing in it changed. */
const signedAs = (change: (event: Record<string, unknown>) => unknown) => () => {
  const body = JSON.stringify(change(JSON.parse(good) as Record<string, unknown>))
  return delivery(body)
}
const withObject = (object: unknown) => signedAs((event) => ({ ...event, data: { object } }))

/** Everything that is not a signed event, with its answer. None of it is stored. */
const refused: [name: string, status: number, request: () => Request][] = [
  ['GET', 405, () => new Request('http://app/webhook')],
  ['PUT', 405, () => new Request('http://app/webhook', { method: 'PUT', body: good })],
  ['DELETE', 405, () => new Request('http://app/webhook', { method: 'DELETE' })],
  ['no body', 400, () => post(null)],
  ['no signature', 400, () => post(good)],
  ['an empty signature', 400, () => delivery(good, '')],
  ['a signature of words', 400, () => delivery(good, 'let me in')],
  ['only a time', 400, () => delivery(good, `t=${now()}`)],
  ['only v0', 400, () => delivery(good, signed(good).replace('v1=', 'v0='))],
  ['no time', 400, () => delivery(good, signed(good).replace(/t=\d+,/, ''))],
  ['a time of words', 400, () => delivery(good, signed(good).replace(/t=\d+/, 't=now'))],
  ['a negative time', 400, () => delivery(good, signed(good).replace(/t=/, 't=-'))],
  [
    'another time than the signed one',
    400,
    () =>
      delivery(
        good,
        signed(good).replace(/t=(\d+)/, (_, t) => `t=${Number(t) + 1}`),
      ),
  ],
  ['a signature that is cut', 400, () => delivery(good, signed(good).slice(0, -1))],
  [
    'a signature in capitals',
    400,
    () =>
      delivery(
        good,
        signed(good).replace(/v1=\w+/, (v) => v.toUpperCase()),
      ),
  ],
  ['a signature of zeros', 400, () => delivery(good, `t=${now()},v1=${'0'.repeat(64)}`)],
  ['ten wrong signatures', 400, () => delivery(good, `t=${now()}${`,v1=${'a'.repeat(64)}`.repeat(10)}`)],
  ['a header of 100 kB', 400, () => delivery(good, `t=${now()},v1=${'a'.repeat(100_000)}`)],
  ['another endpoint’s secret', 400, () => delivery(good, signed(good, { by: 'whsec_other' }))],
  ['301 seconds old', 400, () => delivery(good, signed(good, { at: now() - 301 }))],
  ['a day old', 400, () => delivery(good, signed(good, { at: now() - 86_400 }))],
  ['a body with a blank more', 400, () => delivery(`${good} `, signed(good))],
  [
    'a body that was parsed and written again',
    400,
    () => delivery(JSON.stringify(JSON.parse(good), null, 1), signed(good)),
  ],
  ['another body', 400, () => delivery(good.replace('in_1', 'in_2'), signed(good))],
  ['an empty body, signed', 400, () => delivery('')],
  ['no JSON, signed', 400, () => delivery('{"id": ')],
  ['JSON twice, signed', 400, () => delivery(good + good)],
  ['null, signed', 400, () => delivery('null')],
  ['a number, signed', 400, () => delivery('1')],
  ['an array, signed', 400, () => delivery(`[${good}]`)],
  ['a NUL byte, signed', 400, () => delivery(`\0${good}`)],
  [
    'bytes that are no UTF-8',
    400,
    () => post(Buffer.from([0xff, 0xfe]), { 'stripe-signature': signed('x') }),
  ],
  ['another kind of object', 400, signedAs((event) => ({ ...event, object: 'charge' }))],
  ['no id', 400, signedAs((event) => ({ ...event, id: undefined }))],
  ['an empty id', 400, signedAs((event) => ({ ...event, id: '' }))],
  ['an id of 300 characters', 400, signedAs((event) => ({ ...event, id: 'e'.repeat(300) }))],
  ['an id with quotes', 400, signedAs((event) => ({ ...event, id: "evt_'; DROP TABLE webhook_events; --" }))],
  ['an id that is an object', 400, signedAs((event) => ({ ...event, id: { $ne: null } }))],
  ['no type', 400, signedAs((event) => ({ ...event, type: undefined }))],
  ['a type with blanks', 400, signedAs((event) => ({ ...event, type: 'invoice paid' }))],
  ['a time before 1970', 400, signedAs((event) => ({ ...event, created: -1 }))],
  ['a time of 1e300', 400, signedAs((event) => ({ ...event, created: 1e300 }))],
  ['no data', 400, signedAs((event) => ({ ...event, data: undefined }))],
  ['an object of words', 400, withObject('in_1')],
  ['a thin event without a time', 400, signedAs(({ id, type }) => ({ id, type, object: 'v2.core.event' }))],
  ['deep nesting', 400, () => delivery('['.repeat(100_000))],
  ['two megabytes', 413, () => delivery(good.replace('in_1', 'x'.repeat(2 << 20)))],
  [
    'a length that is stated too large',
    413,
    () => post(good, { 'stripe-signature': signed(good), 'content-length': '99999999' }),
  ],
  ['two megabytes in pieces, with no length', 413, () => streamed(good.replace('in_1', 'x'.repeat(2 << 20)))],
  ['a body that breaks off', 400, () => violations()],
]

function streamed(payload: string): Request {
  const bytes = Buffer.from(payload)
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 65_536) controller.enqueue(bytes.subarray(at, at + 65_536))
      controller.close()
    },
  })
  return new Request('http://app/webhook', {
    method: 'POST',
    body,
    duplex: 'half',
    headers: { 'stripe-signature': signed(payload) },
  } as RequestInit)
}

function violations(): Request {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.error(new Error('the connection was lost')),
  })
  return new Request('http://app/webhook', { method: 'POST', body, duplex: 'half' } as RequestInit)
}

for (const backend of backends)
  describe.skipIf(!isThere(backend))(`the inbox on ${backend}`, () => {
    let shop: Shop
    let handler: WebhookHandler
    beforeAll(async () => {
      shop = await openShop(backend)
      handler = createWebhookHandler({ store: shop.store, secrets: [secret, 'whsec_next'] })
    })
    afterAll(() => shop.dispose())
    const stored = () => shop.client.webhookEvent.count()
    const statusOf = async (request: Request) => (await handler(request)).status

    test.each(refused)('refuses %s', async (_, status, request) => {
      const before = await stored()
      expect(await statusOf(request())).toBe(status)
      expect(await stored()).toBe(before)
    })

    test('stores an event once, with its raw body', async () => {
      expect(await statusOf(delivery(good))).toBe(200)
      expect(await statusOf(delivery(good))).toBe(200)
      expect(await shop.client.webhookEvent.findMany({ where: { stripeEventId: 'evt_good' } })).toMatchObject(
        [{ payload: good, status: 'PENDING', objectId: 'in_1', customerId: 'cus_1', type: 'invoice.paid' }],
      )
    })

    test.each([
      ['a second secret', () => signed(good, { by: 'whsec_next' })],
      ['300 seconds old', () => signed(good, { at: now() - 299 })],
      ['a clock ahead', () => signed(good, { at: now() + 3600 })],
      [
        'a wrong signature beside the right one',
        () => signed(good).replace('v1=', `v1=${'0'.repeat(64)},v1=`),
      ],
    ])('takes %s', async (_, header) => {
      expect(await statusOf(delivery(good, header()))).toBe(200)
    })

    test('takes a body of pieces, an unknown type as ignored, and one event of many deliveries at once', async () => {
      const unknown = eventBody('payout.paid', { id: 'po_1' }, { id: 'evt_unknown', created: 2 })
      expect(await statusOf(streamed(unknown))).toBe(200)
      expect(
        await shop.client.webhookEvent.findUnique({ where: { stripeEventId: 'evt_unknown' } }),
      ).toMatchObject({ status: 'IGNORED' })
      const many = eventBody(
        'invoice.paid',
        { id: 'in_9', customer: { id: 'cus_9' } },
        { id: 'evt_many', created: 3 },
      )
      const answers = await Promise.all(Array.from({ length: 40 }, () => statusOf(delivery(many))))
      expect(new Set(answers)).toEqual(new Set([200]))
      expect(await shop.client.webhookEvent.count({ where: { stripeEventId: 'evt_many' } })).toBe(1)
    })

    test('answers 503 with Retry-After when the database cannot take it, and says nothing of the payload', async () => {
      const other = await openShop(backend)
      const errors: string[] = []
      const lost = createWebhookHandler({
        store: other.store,
        secrets: [secret],
        onError: (text) => errors.push(text),
      })
      await other.client.$executeRawUnsafe('ALTER TABLE webhook_events RENAME TO moved')
      const answer = await lost(delivery(good))
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5'])
      expect(errors.join()).toContain('evt_good')
      expect(errors.join()).not.toContain('in_1')
      await other.dispose()
    })
  })

test.each([
  ['no secret', { secrets: [] }],
  ['a key for a secret', { secrets: ['sk_test_123'] }],
  ['a tolerance of 0, which would skip the check', { secrets: [secret], toleranceSeconds: 0 }],
])('a handler is not made with %s', (_, options) => {
  expect(() => createWebhookHandler({ store: {} as Shop['store'], ...options })).toThrow(
    /secrets that start with/,
  )
})
