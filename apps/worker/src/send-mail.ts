import { isRunning, type BillingStore, type Customer, type Send } from '@outgrow/billing'
import { createTransport } from 'nodemailer'
import type { Logger } from 'pino'
import { mailNow, type StripeAccess } from './mail-now.ts'
import { mails } from './mails.ts'

export interface MailOptions extends StripeAccess {
  smtpUrl: string | undefined
  from: string
  store: BillingStore
  log: Logger
}

/**
 * Sends what the outbox holds as mails. The outbox's key is the message's id, so that a mail that is sent twice after a
 * crash is one mail to the receiver.
 */
export function sendMails({ smtpUrl, from, store, log, ...access }: MailOptions): {
  send: Send
  close(): void
} {
  const transport = smtpUrl === undefined ? undefined : createTransport(smtpUrl)
  const send: Send = async ({ key, topic, payload }) => {
    if (!Object.hasOwn(mails, topic)) {
      log.warn({ key, topic, objectId: payload.objectId }, 'needs an operator')
      return
    }
    const customer = await store.customers.ofStripe(payload.customerId)
    const to = customer?.email
    if (!customer || to === null || to === undefined) {
      log.warn({ key, topic }, 'no recipient')
      return
    }
    const mail = await mailNow(access, topic, payload.objectId)
    if (!mail || (topic === 'subscription.ended' && (await hasPlan(store, customer)))) {
      log.info({ key, topic }, 'no mail: it is no longer so')
      return
    }
    if (!transport) {
      log.info({ key, topic, subject: mail.subject }, 'mail logged here because SMTP_URL is not set')
      return
    }
    const messageId = `<${key.replaceAll(/[^\w.-]/g, '.')}@outgrow>`
    await transport.sendMail({ from, to, subject: mail.subject, text: mail.text, messageId })
    log.info({ key, topic }, 'mail sent')
  }
  return { send, close: () => transport?.close() }
}

/** Of two subscriptions, an operator has ended the one too many: the plan goes on. */
async function hasPlan({ subscriptions }: BillingStore, { id }: Customer): Promise<boolean> {
  return (await subscriptions.ofCustomer(id)).some(({ status }) => isRunning(status))
}
