import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { prismaStore } from '@outgrow/billing'
import { openDatabase } from '@outgrow/db'
import { makeProductDatabase } from '@outgrow/testing'
import { pino } from 'pino'
import { SMTPServer } from 'smtp-server'
import { expect, inject, test } from 'vitest'
import { sendMails } from '../src/send-mail.ts'

test('a mail goes to the customer under the outbox’s key, and a server that refuses it is told', async () => {
  const received: string[] = []
  let isRefusing = false
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData: (stream, _session, callback) => {
      const take = async () => {
        const mail = await text(stream)
        if (!isRefusing) received.push(mail)
        callback(isRefusing ? new Error('try again later') : null)
      }
      void take()
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const made = await makeProductDatabase('sqlite', inject('postgresUrl'))
  const database = await openDatabase(made.url)
  const account = await database.client.account.create({ data: { name: 'Acme', slug: 'acme' } })
  await database.client.billingCustomer.create({
    data: { accountId: account.id, stripeCustomerId: 'cus_1', email: 'owner@example.com' },
  })
  const { port } = server.server.address() as AddressInfo
  const { send, close } = sendMails({
    smtpUrl: `smtp://127.0.0.1:${port}`,
    from: 'Outgrow <hello@example.com>',
    store: prismaStore(database),
    log: pino({ level: 'silent' }),
  })
  const message = (topic: string, customerId = 'cus_1') => ({
    key: `${topic}:in_1`,
    topic,
    payload: { customerId, objectId: 'in_1' },
  })
  const { signal } = new AbortController()

  await send(message('invoice.payment_failed'), signal)
  await send(message('invoice.payment_failed'), signal)
  const [first = '', second = ''] = received
  const header = (mail: string, name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(mail)?.[1]?.trim()
  expect(header(first, 'to')).toBe('owner@example.com')
  expect(header(first, 'subject')).toBe('A payment did not go through')
  expect(header(first, 'message-id')).toBe('<invoice.payment_failed.in_1@outgrow>')
  // Sent twice, it is one mail to whoever receives it.
  expect(header(second, 'message-id')).toBe(header(first, 'message-id'))

  // What is for the operators alone, and what has nobody to go to, sends no mail.
  await send(message('charge.dispute.created'), signal)
  await send(message('invoice.payment_failed', 'cus_unknown'), signal)
  expect(received).toHaveLength(2)

  // A throw: the outbox tries again.
  isRefusing = true
  await expect(send(message('subscription.ended'), signal)).rejects.toThrow('try again later')
  close()
  await database.close()
  await new Promise<void>((resolve) => server.close(() => resolve()))
})
