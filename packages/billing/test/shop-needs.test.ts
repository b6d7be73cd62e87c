import { isThere } from '@outgrow/testing'
import { Stripe } from 'stripe'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  applyCoupon,
  billingDetails,
  cancel,
  changePlan,
  createCheckout,
  hasFeature,
  pause,
  receiptUrl,
  redeemPromotionCode,
  resume,
  takeBackChange,
  type CheckoutOptions,
  type Trial,
} from '../src/index.ts'
import { openShop, statusOf, type Shop } from './shop.ts'

const day = 86_400

for (const backend of ['sqlite', 'postgres'] as const)
  describe.skipIf(!isThere(backend))(`what shops need on ${backend}`, () => {
    let shop: Shop
    beforeAll(async () => {
      shop = await openShop(backend)
    })
    afterAll(() => shop.dispose())

    const subscriber = async (price = 'price_pro') => {
      const account = await shop.account()
      shop.fake.setCard(account.customer, 'succeeds')
      const { id } = await shop.stripe.subscriptions.create({
        customer: account.customer,
        items: [{ price }],
      })
      await shop.settle()
      return { ...account, id }
    }
    const hasApi = (accountId: string) =>
      hasFeature(shop.store, accountId, 'api', new Date(shop.fake.store.now * 1000))
    const newest = async (customer: string) =>
      (await shop.stripe.invoices.list({ customer, limit: 1 })).data[0]
    const checkout = (
      accountId: string,
      more: { trial?: Trial; options?: CheckoutOptions; seats?: number },
    ) =>
      createCheckout(shop.billing, {
        accountId,
        planId: 'pro',
        successUrl: 'http://a/s',
        cancelUrl: 'http://a/c',
        ...more,
      })

    test('a pause ends access and invoices, and what was paid for is credited when it goes on', async () => {
      const { accountId, customer, id } = await subscriber()
      shop.fake.advance(15 * day)
      await pause(shop.billing, accountId)
      expect([await statusOf(shop.database, id), await hasApi(accountId)]).toEqual(['paused', false])
      expect((await billingDetails(shop.billing, accountId)).nextInvoice).toBeUndefined()
      shop.fake.advance(60 * day)
      await shop.settle()
      expect((await billingDetails(shop.billing, accountId)).invoices).toHaveLength(1)
      await resume(shop.billing, accountId)
      expect([await statusOf(shop.database, id), await hasApi(accountId)]).toEqual(['active', true])
      expect((await newest(customer))?.amount_paid).toBeLessThan(1900)
      await expect(pause(shop.billing, (await shop.account()).accountId)).rejects.toMatchObject({
        code: 'OUTGROW_BILLING_NO_SUBSCRIPTION',
      })
    })

    test('a pause goes on only when it is paid for', async () => {
      const { accountId, customer, id } = await subscriber()
      shop.fake.advance(15 * day)
      await pause(shop.billing, accountId)
      shop.fake.setCard(customer, 'fails')
      await resume(shop.billing, accountId)
      await shop.settle()
      expect([await statusOf(shop.database, id), await hasApi(accountId)]).toEqual(['paused', false])
      const open = (await billingDetails(shop.billing, accountId)).invoices.find(
        ({ status }) => status === 'open',
      )
      shop.fake.setCard(customer, 'succeeds')
      await shop.stripe.invoices.pay(open?.id ?? '')
      await shop.settle()
      expect([await statusOf(shop.database, id), await hasApi(accountId)]).toEqual(['active', true])
    })

    test('a pause waits for what is planned, and can be canceled out of', async () => {
      const { accountId, id } = await subscriber('price_team')
      await changePlan(shop.billing, accountId, { planId: 'pro' })
      await expect(pause(shop.billing, accountId)).rejects.toMatchObject({ code: 'OUTGROW_BILLING_PLANNED' })
      await takeBackChange(shop.billing, accountId)
      await pause(shop.billing, accountId)
      await cancel(shop.billing, accountId, 'now')
      expect(await statusOf(shop.database, id)).toBe('canceled')
    })

    test('a promotion code counts from the next invoice on, once, and beside others', async () => {
      const { accountId, customer, id } = await subscriber()
      await shop.stripe.coupons.create({
        id: 'half',
        percent_off: 50,
        duration: 'forever',
        name: 'Half',
      })
      await shop.stripe.promotionCodes.create({
        promotion: { type: 'coupon', coupon: 'half' },
        code: 'HALF',
      })
      await redeemPromotionCode(shop.billing, accountId, 'HALF')
      await redeemPromotionCode(shop.billing, accountId, 'HALF')
      await shop.stripe.coupons.create({
        id: 'one',
        amount_off: 100,
        currency: 'usd',
        duration: 'once',
      })
      await applyCoupon(shop.billing, accountId, 'one')
      const { discounts, nextInvoice } = await billingDetails(shop.billing, accountId)
      expect(discounts.map(({ name }) => name)).toEqual(['Half', 'one'])
      shop.fake.advance(32 * day)
      await shop.settle()
      expect((await newest(customer))?.amount_paid).toBe(nextInvoice?.amount)
      expect(nextInvoice?.amount).toBeLessThan(950)
      // A downgrade keeps the discount.
      await changePlan(shop.billing, accountId, { planId: 'team' })
      await changePlan(shop.billing, accountId, { planId: 'pro' })
      await expect(redeemPromotionCode(shop.billing, accountId, 'HALF')).rejects.toMatchObject({
        code: 'OUTGROW_BILLING_PLANNED',
      })
      shop.fake.advance(32 * day)
      await shop.settle()
      expect(shop.fake.store.subscription(id).object.items.data[0]?.price.id).toBe('price_pro')
      expect((await newest(customer))?.amount_paid).toBe(950)
    })

    test('a code counts beside the discount that the customer has for everything', async () => {
      const { accountId, customer, id } = await subscriber()
      await shop.stripe.coupons.create({ id: 'loyal', percent_off: 50, duration: 'forever' })
      await shop.stripe.coupons.create({ id: 'extra', percent_off: 10, duration: 'forever' })
      // The API of today gives none to a customer; older versions and other tools did.
      const other = await subscriber()
      await applyCoupon(shop.billing, other.accountId, 'loyal')
      const [loyal] = shop.fake.store.subscription(other.id).object.discounts as string[]
      const discount = shop.fake.store.discounts.get(loyal ?? '')
      Object.assign(shop.fake.store.customer(customer), { discount })
      await applyCoupon(shop.billing, accountId, 'loyal')
      expect(shop.fake.store.subscription(id).object.discounts).toEqual([])
      await applyCoupon(shop.billing, accountId, 'extra')
      const { discounts } = shop.fake.store.subscription(id).object
      expect([discounts.length, discounts[0]]).toEqual([2, loyal])
    })

    test('a code that is unknown, over, or another customer’s is refused and changes nothing', async () => {
      const { accountId, customer, id } = await subscriber()
      const other = await shop.account()
      const coupon = 'mine'
      await shop.stripe.coupons.create({ id: coupon, percent_off: 10, duration: 'once' })
      const promotion = { type: 'coupon' as const, coupon }
      // A code can be given to many customers, each for themselves: here to more than a page of them after this one.
      await shop.stripe.promotionCodes.create({ promotion, code: 'BOTH', customer })
      for (const code of ['THEIRS', ...Array<string>(101).fill('BOTH')])
        await shop.stripe.promotionCodes.create({ promotion, code, customer: other.customer })
      await shop.stripe.promotionCodes.create({ promotion, code: 'OVER', active: false })
      for (const code of ['NEVER', 'THEIRS', 'OVER', ''])
        await expect(redeemPromotionCode(shop.billing, accountId, code)).rejects.toMatchObject({
          code: 'OUTGROW_BILLING_PROMOTION_CODE',
        })
      await expect(applyCoupon(shop.billing, accountId, 'no-such')).rejects.toMatchObject({
        code: 'OUTGROW_BILLING_PROMOTION_CODE',
      })
      expect(shop.fake.store.subscription(id).object.discounts).toEqual([])
      await redeemPromotionCode(shop.billing, accountId, 'BOTH')
      expect(shop.fake.store.subscription(id).object.discounts).toHaveLength(1)
    })

    test.each(['pause', 'cancel'] as const)('a trial without a card ends with a %s', async (withoutCard) => {
      const { accountId, customer } = await shop.account()
      const session = await checkout(accountId, { trial: { days: 14, withoutCard } })
      expect(await shop.stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
        payment_method_collection: 'if_required',
      })
      shop.fake.completeCheckout(session.id)
      shop.fake.setCard(customer, 'none')
      await shop.settle()
      expect(await hasApi(accountId)).toBe(true)
      shop.fake.advance(15 * day)
      await shop.settle()
      const found = await shop.client.subscription.findFirstOrThrow({ where: { customer: { accountId } } })
      expect(found.stripeStatus).toBe(withoutCard === 'pause' ? 'paused' : 'canceled')
      expect(await hasApi(accountId)).toBe(false)
      if (withoutCard === 'cancel') return
      expect(await resume(shop.billing, accountId)).toEqual({ status: 'card-needed' })
      expect(await hasApi(accountId)).toBe(false)
      shop.fake.setCard(customer, 'succeeds')
      await resume(shop.billing, accountId)
      expect([await hasApi(accountId), (await newest(customer))?.amount_paid]).toEqual([true, 1900])
    })

    test('an account has one trial, unless the application gives another', async () => {
      const { accountId } = await shop.account()
      const trialOf = async (trial: Trial) => {
        const { id } = await checkout(accountId, { trial })
        shop.fake.completeCheckout(id)
        await shop.settle()
        const [newest] = await shop.client.subscription.findMany({
          where: { customer: { accountId } },
          orderBy: { createdAt: 'desc' },
        })
        await cancel(shop.billing, accountId, 'now')
        return newest?.trialEnd ?? null
      }
      expect(await trialOf({ days: 14 })).not.toBeNull()
      expect(await trialOf({ days: 14 })).toBeNull()
      expect(await trialOf({ days: 7, again: true })).not.toBeNull()
    })

    test('Checkout takes the options that change nothing of who pays for what, and seats', async () => {
      const { accountId } = await shop.account()
      const { id } = await checkout(accountId, {
        seats: 3,
        options: { allow_promotion_codes: true, locale: 'de', billing_address_collection: 'required' },
      })
      const session = await shop.stripe.checkout.sessions.retrieve(id, { expand: ['line_items'] })
      expect(session).toMatchObject({ allow_promotion_codes: true, locale: 'de' })
      expect(session.line_items?.data[0]?.quantity).toBe(3)
      for (const wrong of [
        'customer',
        'line_items',
        'mode',
        'client_reference_id',
        'metadata',
        'subscription_data',
      ])
        await expect(checkout(accountId, { options: { [wrong]: 'cus_other' } })).rejects.toMatchObject({
          code: 'OUTGROW_BILLING_CHECKOUT_OPTION',
          message: expect.stringContaining(wrong) as string,
        })
    })

    test('invoices are asked of Stripe once, again after a change, and never for anybody else', async () => {
      const { accountId, customer } = await subscriber()
      const counted = counting(shop)
      const { invoices, nextInvoice } = await billingDetails(counted.billing, accountId)
      expect(invoices).toMatchObject([{ status: 'paid', total: 1900, remaining: 0 }])
      expect(nextInvoice).toMatchObject({ amount: 1900, currency: 'usd' })
      await billingDetails(counted.billing, accountId)
      expect(counted.requests()).toBe(3)
      // By another process: its synchronisation is what counts.
      await cancel(shop.billing, accountId)
      expect((await billingDetails(counted.billing, accountId)).nextInvoice).toBeUndefined()
      expect(counted.requests()).toBe(6)
      const [invoice] = invoices
      expect(await receiptUrl(shop.billing, accountId, invoice?.id ?? '')).toContain('/receipt/')
      const other = await shop.account()
      expect(await receiptUrl(shop.billing, other.accountId, invoice?.id ?? '')).toBeUndefined()
      expect(await receiptUrl(shop.billing, accountId, 'in_none')).toBeUndefined()
      expect((await billingDetails(shop.billing, other.accountId)).invoices).toEqual([])
      expect(customer).not.toBe(other.customer)
    })

    test('while Stripe does not answer the details say so, and are there again when it does', async () => {
      const { accountId } = await subscriber()
      shop.fake.fail({ status: 500, times: 3 })
      await expect(billingDetails(shop.billing, accountId)).rejects.toMatchObject({ type: 'StripeAPIError' })
      shop.fake.recover()
      expect((await billingDetails(shop.billing, accountId)).invoices).toHaveLength(1)
    })
  })

/** Billing of another process, and how many requests it made. */
function counting({ billing, fake }: Shop) {
  let requests = 0
  const stripe = new Stripe('sk_test_shop', {
    httpClient: Stripe.createFetchHttpClient((input: string | URL | Request, init?: RequestInit) => {
      requests++
      return fake.fetch(input, init)
    }),
    maxNetworkRetries: 0,
  })
  return { billing: { ...billing, stripe }, requests: () => requests }
}
