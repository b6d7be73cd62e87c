import { isThere } from '@outgrow/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  billingDetails,
  cancel,
  changePlan,
  createCheckout,
  definePlans,
  pause,
  previewChange,
  redeemPromotionCode,
  resume,
  syncPlans,
} from '../src/index.ts'
import { openShop, plans, statusOf, type Shop } from './shop.ts'

const day = 86_400

for (const backend of ['sqlite', 'postgres'] as const)
  describe.skipIf(!isThere(backend))(`what was agreed, on ${backend}`, () => {
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
    const invoices = async (id: string) =>
      (await shop.stripe.invoices.list({ subscription: id, limit: 100 })).data
    const paid = async (id: string) =>
      (await invoices(id)).filter(({ status }) => status === 'paid').map(({ amount_paid: amount }) => amount)
    const failure = (code: string) => expect.objectContaining({ code: `OUTGROW_BILLING_${code}` }) as Error

    /** The shop sells Pro at another price, and its former price no more. */
    const raisePrice = async () => {
      shop.fake.addPrice({ id: 'price_pro_dearer', name: 'Pro', amount: 2900 })
      await shop.stripe.prices.update('price_pro', { active: false })
      await syncPlans(
        shop.store,
        definePlans({
          plans: plans.plans.map((plan) =>
            plan.id === 'pro' ? { ...plan, priceId: 'price_pro_dearer', amount: 2900 } : plan,
          ),
        }),
      )
    }

    test('a downgrade whose price was raised after it was shown is not made', async () => {
      const { accountId } = await subscriber('price_team')
      const grandfathered = await subscriber()
      const wanted = { planId: 'pro' }
      const { confirmation, perPeriod } = await previewChange(shop.billing, accountId, wanted)
      expect(perPeriod).toBe(1900)
      await raisePrice()
      try {
        await expect(changePlan(shop.billing, accountId, wanted, confirmation)).rejects.toThrow(
          failure('CHANGED'),
        )
        expect((await billingDetails(shop.billing, accountId)).scheduled).toBeUndefined()
        // Who pays the former price keeps it, and has more at it.
        const more = { planId: 'pro', seats: 3 }
        const preview = await previewChange(shop.billing, grandfathered.accountId, more)
        expect([preview.perPeriod, preview.dueNow]).toEqual([5700, 3800])
        expect(await changePlan(shop.billing, grandfathered.accountId, more, preview.confirmation)).toEqual({
          status: 'changed',
        })
      } finally {
        await shop.stripe.prices.update('price_pro', { active: true })
        await syncPlans(shop.store, plans)
      }
    })

    test('an amount of a period that is over by now is refused as outdated', async () => {
      const { accountId, id } = await subscriber()
      shop.fake.advance(30 * day)
      const { current_period_end: end = 0 } = shop.fake.store.subscription(id).object.items.data[0] ?? {}
      shop.fake.advance(Math.max(1, end - shop.fake.store.now - 60))
      const { confirmation } = await previewChange(shop.billing, accountId, { planId: 'team' })
      shop.fake.advance(120)
      await expect(changePlan(shop.billing, accountId, { planId: 'team' }, confirmation)).rejects.toThrow(
        failure('CHANGED'),
      )
    })

    test('what is owed for at Stripe is not changed, though that was not heard of here', async () => {
      const { accountId, id, customer } = await subscriber()
      shop.fake.setCard(customer, 'fails')
      shop.fake.advance(32 * day)
      expect(await statusOf(shop.database, id)).toBe('active')
      for (const change of [previewChange, changePlan])
        await expect(change(shop.billing, accountId, { planId: 'team' })).rejects.toThrow(
          failure('NO_SUBSCRIPTION'),
        )
      expect(await paid(id)).toEqual([1900])
      await shop.settle()
    })

    test('a change that Stripe refuses is said to be one, and drops neither what is stored nor what is scheduled', async () => {
      const { accountId, id } = await subscriber('price_team')
      await changePlan(shop.billing, accountId, { planId: 'pro', seats: 2 })
      const { scheduled } = await billingDetails(shop.billing, accountId)
      const refusing = shop.through(async (request, goOn) =>
        request.method === 'POST' && new URL(request.url).pathname === `/v1/subscriptions/${id}`
          ? Response.json(
              { error: { type: 'invalid_request_error', message: 'Pending updates do not go with debits.' } },
              { status: 400 },
            )
          : goOn(),
      )
      await expect(changePlan(refusing, accountId, { seats: 3 })).rejects.toThrow(failure('UNCHANGEABLE'))
      expect([await statusOf(shop.database, id), await paid(id)]).toEqual(['active', [4900]])
      expect(scheduled).toMatchObject({ planId: 'pro', seats: 2, byOperator: false })
      expect((await billingDetails(shop.billing, accountId)).scheduled).toEqual(scheduled)
      shop.fake.advance(32 * day)
      await shop.settle()
      expect(await paid(id)).toEqual([3800, 4900])
    })

    test('a pause of a period that nobody has paid credits nothing', async () => {
      const { accountId, id, customer } = await subscriber()
      shop.fake.setCard(customer, 'fails')
      shop.fake.advance(32 * day)
      await shop.settle()
      expect(await statusOf(shop.database, id)).toBe('past_due')
      await pause(shop.billing, accountId)
      shop.fake.setCard(customer, 'succeeds')
      expect(await resume(shop.billing, accountId)).toEqual({ status: 'resumed' })
      expect((await paid(id))[0]).toBe(1900)
    })

    test('a trial is not paused, since Stripe pauses none', async () => {
      const { accountId, customer } = await shop.account()
      await shop.stripe.subscriptions.create({
        customer,
        items: [{ price: 'price_pro' }],
        trial_period_days: 14,
      })
      await shop.settle()
      await expect(pause(shop.billing, accountId)).rejects.toThrow(failure('NO_SUBSCRIPTION'))
    })

    test('a pause that is ended twice is paid for once', async () => {
      const { accountId, id, customer } = await subscriber()
      shop.fake.advance(20 * day)
      await pause(shop.billing, accountId)
      shop.fake.advance(40 * day)
      shop.fake.setCard(customer, 'authenticates')
      const waits = {
        status: 'payment-needed',
        payUrl: expect.stringContaining('/invoice/') as string,
      }
      expect(await resume(shop.billing, accountId)).toEqual(waits)
      expect(await resume(shop.billing, accountId)).toEqual(waits)
      expect((await invoices(id)).filter(({ status }) => status === 'open')).toHaveLength(1)
      shop.fake.setCard(customer, 'succeeds')
      expect(await resume(shop.billing, accountId)).toEqual({ status: 'resumed' })
      expect(await statusOf(shop.database, id)).toBe('active')
      expect((await invoices(id)).map(({ status }) => status)).toEqual(['paid', 'paid'])
    })

    test('what is paused ends at once, and what would have ended the pause cannot be paid any more', async () => {
      const { accountId, id, customer } = await subscriber()
      shop.fake.advance(10 * day)
      await pause(shop.billing, accountId)
      shop.fake.advance(10 * day)
      shop.fake.setCard(customer, 'fails')
      await resume(shop.billing, accountId)
      await cancel(shop.billing, accountId)
      expect(await statusOf(shop.database, id)).toBe('canceled')
      expect((await invoices(id)).map(({ status }) => status)).toEqual(['void', 'paid'])
    })

    test('a term that an operator has set is neither left by a change of plan nor by a pause', async () => {
      const { accountId, id } = await subscriber()
      const { id: schedule, phases } = await shop.stripe.subscriptionSchedules.create({
        from_subscription: id,
      })
      await shop.stripe.subscriptionSchedules.update(schedule, {
        end_behavior: 'cancel',
        phases: [
          {
            items: [{ price: 'price_pro' }],
            start_date: phases[0]?.start_date ?? 0,
            duration: { interval: 'year' },
          },
        ],
      })
      await expect(changePlan(shop.billing, accountId, { planId: 'team' })).rejects.toThrow(
        failure('UNCHANGEABLE'),
      )
      await expect(pause(shop.billing, accountId)).rejects.toThrow(failure('UNCHANGEABLE'))
      expect((await shop.stripe.subscriptionSchedules.retrieve(schedule)).status).toBe('active')
    })

    test('a scheduled downgrade keeps the discounts and notes of the items themselves', async () => {
      const { accountId } = await subscriber('price_team')
      let phases = ''
      const seeing = shop.through(async (request, goOn) => {
        const { pathname } = new URL(request.url)
        if (request.method === 'POST' && pathname.startsWith('/v1/subscription_schedules/')) {
          phases = decodeURIComponent(await request.text())
          return Response.json({ error: { type: 'api_error', message: 'Seen.' } }, { status: 500 })
        }
        const answer = await goOn()
        if (request.method !== 'GET' || !pathname.startsWith('/v1/subscriptions/')) return answer
        // The stand-in knows no discounts of items.
        const subscription = (await answer.json()) as { items: { data: object[] } }
        for (const item of subscription.items.data)
          Object.assign(item, { discounts: ['di_item'], metadata: { contract: '7' } })
        return Response.json(subscription)
      })
      await expect(changePlan(seeing, accountId, { planId: 'pro' })).rejects.toMatchObject({
        type: 'StripeAPIError',
      })
      for (const phase of [0, 1]) {
        expect(phases).toContain(`phases[${phase}][items][0][discounts][0][discount]=di_item`)
        expect(phases).toContain(`phases[${phase}][items][0][metadata][contract]=7`)
      }
    })

    test('a promotion code that an invoice has had is no discount of the next one too', async () => {
      const { accountId, customer, id } = await subscriber()
      await shop.stripe.coupons.create({ id: 'welcome', percent_off: 50, duration: 'once' })
      await shop.stripe.promotionCodes.create({
        promotion: { type: 'coupon', coupon: 'welcome' },
        code: 'WELCOME',
      })
      await redeemPromotionCode(shop.billing, accountId, 'WELCOME')
      shop.fake.advance(32 * day)
      await shop.settle()
      await expect(redeemPromotionCode(shop.billing, accountId, 'WELCOME')).rejects.toThrow(
        failure('PROMOTION_CODE'),
      )
      shop.fake.advance(31 * day)
      await shop.settle()
      expect(await paid(id)).toEqual([1900, 950, 1900])
      const other = await subscriber()
      expect(other.customer).not.toBe(customer)
      await redeemPromotionCode(shop.billing, other.accountId, 'WELCOME')
      expect((await billingDetails(shop.billing, other.accountId)).discounts).toHaveLength(1)
    })

    test('Checkout that asks for a tax id may keep the name that comes with it', async () => {
      const { accountId } = await shop.account()
      const { url } = await createCheckout(shop.billing, {
        accountId,
        planId: 'pro',
        options: { tax_id_collection: { enabled: true } },
        successUrl: 'http://a/s',
        cancelUrl: 'http://a/c',
      })
      expect(url).toContain('/pay/')
    })
  })
