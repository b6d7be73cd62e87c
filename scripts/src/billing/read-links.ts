import { readFileSync } from 'node:fs'
import type { CustomerLink } from '@outgrow/billing'
import { Failure, messageOf } from '@outgrow/kit'

export interface LinkOptions {
  customer?: string
  account?: string
  file?: string
  notOurs?: boolean
}

export type WantedLinks = { links: CustomerLink[] } | { notOurs: string }

/**
 * What the options ask for: one link, those of a file, or a customer to leave alone.
 * @throws Failure OUTGROW_OPTION_INVALID
 */
export function readLinks({ customer, account, file, notOurs = false }: LinkOptions): WantedLinks {
  if (customer !== undefined) checkCustomer(customer, '--customer')
  if (file !== undefined && customer === undefined && account === undefined && !notOurs)
    return { links: linksOf(file) }
  if (file === undefined && customer !== undefined && notOurs !== (account !== undefined))
    return notOurs
      ? { notOurs: customer }
      : { links: [{ stripeCustomerId: customer, accountId: account as string }] }
  throw invalid('Nothing was chosen, or too much.')
}

function linksOf(file: string): CustomerLink[] {
  const links = textOf(file)
    .split(/\r?\n/)
    .map((line, at) => ({ line: line.trim(), at: at + 1 }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'))
    .map(({ line, at }) => {
      const [stripeCustomerId = '', accountId = '', ...more] = line.split(',').map((part) => part.trim())
      checkCustomer(stripeCustomerId, `${file}:${at}`)
      if (accountId === '' || more.length > 0)
        throw invalid(`${file}:${at} is not a customer and an account.`)
      return { stripeCustomerId, accountId }
    })
  if (links.length > 0) return links
  throw invalid(`${file} has no links.`)
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw invalid(`${file} cannot be read: ${messageOf(error)}`)
  }
}

function checkCustomer(id: string, where: string): void {
  if (!/^cus_\w+$/.test(id))
    throw invalid(`${where} ${JSON.stringify(id)} is not the id of a customer at Stripe.`)
}

function invalid(message: string): Failure {
  return new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message,
    fix: 'Pass --customer cus_… with --account or --not-ours, or --file with lines like cus_123,account-id.',
  })
}
