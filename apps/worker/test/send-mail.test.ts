import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { openStripe, prismaStore, SubscriptionStatus } from '@outgrow/billing'
import { openDatabase } from '@outgrow/db'
import { day, serveStripeFake } from '@outgrow/stripe-fake'
import { makeProductDatabase } from '@outgrow/testing'
import { pino } from 'pino'
import { SMTPServer } from 'smtp-server'
import { expect, inject, test } from 'vitest'
import { sendMails } from '../src/send-mail.ts'

/** A mail server, a stand-in for Stripe, and a customer of both. */
async function openPost() {
  const received: string[] = []
  const post = { received, isRefusing: false }
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData: (stream, _session, callback) => {
      const take = async () => {
        const mail = await text(stream)
        if (!post.isRefusing) received.push(mail)
        callback(post.isRefusing ? new Error('try again later') : null)
      }
      void take()
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const fakeServer = await serveStripeFake()
  const stripe = openStripe({ STRIPE_SECRET_KEY: 'sk_test_worker', STRIPE_API_BASE: fakeServer.url })
  fakeServer.fake.addPrice({ id: 'price_pro', name: 'Pro', amount: 1900 })
  const { id: stripeCustomerId } = await stripe.customers.create({ email: 'owner@example.com' })
  const made = await makeProductDatabase('sqlite', inject('postgresUrl'))
  const database = await openDatabase(made.url)
  const account = await database.client.account.create({ data: { name: 'Acme', slug: 'acme' } })
  await database.client.billingCustomer.create({
    data: { accountId: account.id, stripeCustomerId, email: 'owner@example.com' },
  })
  const { port } = server.server.address() as AddressInfo
  const { send, close } = sendMails({
    smtpUrl: `smtp://127.0.0.1:${port}`,
    from: 'Outgrow <hello@example.com>',
    store: prismaStore(database),
    log: pino({ level: 'silent' }),
    stripe,
    apiBase: fakeServer.url,
  })
  const { signal } = new AbortController()
  return Object.assign(post, {
    stripe,
    fake: fakeServer.fake,
    customer: stripeCustomerId,
    database,
    /** Sends, and says what arrived of it. */
    async send(topic: string, objectId: string, customerId = stripeCustomerId): Promise<string | undefined> {
      const before = received.length
      await send({ key: `${topic}:${objectId}`, topic, payload: { customerId, objectId } }, signal)
      return received.length > before ? received.at(-1) : undefined
    },
    async [Symbol.asyncDispose]() {
      close()
      await database.close()
      await fakeServer[Symbol.asyncDispose]()
      await made.drop()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  })
}

test('a mail goes to the customer under the outbox’s key, and a server that refuses it is told', async () => {
  await using post = await openPost()
  const first = (await post.send('refund.made', 're_1')) ?? ''
  const second = (await post.send('refund.made', 're_1')) ?? ''
  const header = (mail: string, name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(mail)?.[1]?.trim()
  expect(header(first, 'to')).toBe('owner@example.com')
  expect(header(first, 'subject')).toBe('A refund is on its way')
  expect(header(first, 'message-id')).toBe('<refund.made.re_1@outgrow>')
  // Sent twice, it is one mail to whoever receives it.
  expect(header(second, 'message-id')).toBe(header(first, 'message-id'))

  // What is for the operators alone, and what has nobody to go to, sends no mail.
  expect(await post.send('charge.dispute.created', 'dp_1')).toBeUndefined()
  expect(await post.send('refund.made', 're_1', 'cus_unknown')).toBeUndefined()

  // A throw: the outbox tries again.
  post.isRefusing = true
  await expect(post.send('subscription.ended', 'sub_1')).rejects.toThrow('try again later')
})

test('a payment that failed, or that a bank asks about, comes with its link while it is open', async () => {
  await using post = await openPost()
  post.fake.setCard(post.customer, 'authenticates')
  const { latest_invoice: latest } = await post.stripe.subscriptions.create({
    customer: post.customer,
    items: [{ price: 'price_pro' }],
    payment_behavior: 'default_incomplete',
  })
  const invoice = latest as string
  const { hosted_invoice_url: link } = await post.stripe.invoices.retrieve(invoice)
  const mail = (await post.send('invoice.payment_action_required', invoice)) ?? ''
  expect(mail.replaceAll('=\r\n', '')).toContain(link)
  expect(mail).toContain('Your bank asks you to confirm')
  expect(mail.replaceAll('=\r\n', '')).toContain('Your plan begins when it is paid.')
  // It was deleted at Stripe: the mail goes out without a link. Stripe is away: the outbox tries again.
  expect(await post.send('invoice.payment_failed', 'in_gone')).not.toContain('http')
  post.fake.fail({ status: 500, times: 2 })
  await expect(post.send('invoice.payment_failed', invoice)).rejects.toMatchObject({ type: 'StripeAPIError' })
  post.fake.recover()
  // Paid between the event and the mail: there is nothing to ask for any more.
  post.fake.setCard(post.customer, 'succeeds')
  await post.stripe.invoices.pay(invoice)
  expect(await post.send('invoice.payment_action_required', invoice)).toBeUndefined()
})

test('the end of a trial is announced with its date, and with what a missing card means', async () => {
  await using post = await openPost()
  post.fake.setCard(post.customer, 'none')
  const trial = (missing: 'pause' | 'cancel' | 'create_invoice') =>
    post.stripe.subscriptions.create({
      customer: post.customer,
      items: [{ price: 'price_pro' }],
      trial_period_days: 7,
      trial_settings: { end_behavior: { missing_payment_method: missing } },
    })
  const words = async (missing: Parameters<typeof trial>[0]) =>
    post.send('customer.subscription.trial_will_end', (await trial(missing)).id)
  const ends = new Date((post.fake.store.now + 7 * day) * 1000).toISOString().slice(0, 10)
  expect(await words('pause')).toContain(`Your trial ends on ${ends}.`)
  expect((await words('pause'))?.replaceAll('=\r\n', '')).toContain('without one your plan is paused')
  expect((await words('cancel'))?.replaceAll('=\r\n', '')).toContain('without one your plan is canceled')
  expect((await words('create_invoice'))?.replaceAll('=\r\n', '')).toContain('do not need to do anything')

  // Who has canceled is not told that it continues, and who is on no trial any more is told nothing.
  const { id } = await trial('pause')
  await post.stripe.subscriptions.update(id, { cancel_at_period_end: true })
  const canceled = await post.send('customer.subscription.trial_will_end', id)
  expect(canceled?.replaceAll('=\r\n', '')).toContain('You have canceled: nothing is charged.')
  await post.stripe.subscriptions.cancel(id)
  expect(await post.send('customer.subscription.trial_will_end', id)).toBeUndefined()
})

test('nobody is told that their plan has ended while another subscription runs', async () => {
  await using post = await openPost()
  const { id: customerId } = await post.database.client.billingCustomer.findUniqueOrThrow({
    where: { stripeCustomerId: post.customer },
  })
  const store = (stripeSubscriptionId: string, status: SubscriptionStatus) =>
    post.database.client.subscription.create({
      data: { customerId, stripeSubscriptionId, status, stripeStatus: status.toLowerCase() },
    })
  await store('sub_double', SubscriptionStatus.CANCELED)
  const { id } = await store('sub_kept', SubscriptionStatus.ACTIVE)
  expect(await post.send('subscription.ended', 'sub_double')).toBeUndefined()
  await post.database.client.subscription.delete({ where: { id } })
  expect(await post.send('subscription.ended', 'sub_double')).toContain('Your plan has ended')
})

test('a refund that failed by now is not announced', async () => {
  await using post = await openPost()
  await post.stripe.subscriptions.create({ customer: post.customer, items: [{ price: 'price_pro' }] })
  const refund = post.fake.refund(post.customer)?.id ?? ''
  expect(await post.send('refund.made', refund)).toContain('A refund is on its way')
  post.fake.failRefund(refund)
  expect(await post.send('refund.made', refund)).toBeUndefined()
})
