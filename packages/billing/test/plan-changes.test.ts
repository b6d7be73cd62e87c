import { isThere } from '@outgrow/testing'
import { Stripe } from 'stripe'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  billingDetails,
  cancel,
  changePlan,
  limitOf,
  previewChange,
  resume,
  takeBackChange,
  type Billing,
} from '../src/index.ts'
import { openShop, statusOf, type Shop } from './shop.ts'

const day = 86_400

for (const backend of ['sqlite', 'postgres'] as const)
  describe.skipIf(!isThere(backend))(`changes of plan on ${backend}`, () => {
    let shop: Shop
    beforeAll(async () => {
      shop = await openShop(backend)
    })
    afterAll(() => shop.dispose())

    const subscriber = async (price = 'price_pro', quantity = 1) => {
      const account = await shop.account()
      shop.fake.setCard(account.customer, 'succeeds')
      const { id } = await shop.stripe.subscriptions.create({
        customer: account.customer,
        items: [{ price, quantity }],
      })
      await shop.settle()
      return { ...account, id }
    }
    const seats = (accountId: string) =>
      limitOf(shop.store, accountId, 'seats', new Date(shop.fake.store.now * 1000))
    const linesAtStripe = (id: string) =>
      shop.fake.store.subscription(id).object.items.data.map(({ price, quantity }) => [price.id, quantity])
    const invoices = async (id: string) =>
      (await shop.stripe.invoices.list({ subscription: id, limit: 100 })).data
    const paid = async (id: string) =>
      (await invoices(id)).filter(({ status }) => status === 'paid').map(({ amount_paid: amount }) => amount)

    test('an upgrade is made now, and charged what the preview showed', async () => {
      const { accountId, id } = await subscriber()
      shop.fake.advance(10 * day)
      const preview = await previewChange(shop.billing, accountId, { planId: 'team' })
      expect(preview).toMatchObject({ when: 'now', perPeriod: 4900, currency: 'usd', replacesPlanned: false })
      // Two thirds of a month of the difference of 3000, give or take what months differ by.
      expect(preview.dueNow).toBeGreaterThan(1800)
      expect(preview.dueNow).toBeLessThan(2200)
      expect(linesAtStripe(id)).toEqual([['price_pro', 1]]) // a preview changes nothing
      shop.fake.advance(1700) // the customer reads
      expect(await changePlan(shop.billing, accountId, { planId: 'team' }, preview.confirmation)).toEqual({
        status: 'changed',
      })
      expect((await paid(id))[0]).toBe(preview.dueNow)
      expect(await seats(accountId)).toBe(10n)
      await shop.settle()
      expect(await seats(accountId)).toBe(10n)
    })

    test('more seats are paid now, and multiply what the plan includes', async () => {
      const { accountId, id } = await subscriber()
      expect(await seats(accountId)).toBe(3n)
      const { dueNow, confirmation } = await previewChange(shop.billing, accountId, { seats: 4 })
      expect(dueNow).toBe(3 * 1900)
      await changePlan(shop.billing, accountId, { seats: 4 }, confirmation)
      expect([await seats(accountId), (await paid(id))[0]]).toEqual([12n, 5700])
      for (const wrong of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
        await expect(changePlan(shop.billing, accountId, { seats: wrong })).rejects.toMatchObject({
          code: 'OUTGROW_BILLING_UNCHANGEABLE',
        })
    })

    test('what was not shown is not charged: another moment, another amount, another plan meanwhile', async () => {
      const { accountId, id } = await subscriber()
      shop.fake.advance(2 * day)
      const { confirmation, dueNow } = await previewChange(shop.billing, accountId, { planId: 'team' })
      const refused = (wrong: object) =>
        expect(
          changePlan(shop.billing, accountId, { planId: 'team' }, { ...confirmation, ...wrong }),
        ).rejects.toMatchObject({ code: 'OUTGROW_BILLING_CHANGED' })
      const [item] = shop.fake.store.subscription(id).object.items.data
      // The last second of the period would give the dearer plan for nothing.
      await refused({ prorationDate: (item?.current_period_end ?? 0) - 1, dueNow: 0 })
      await refused({ prorationDate: confirmation.prorationDate + 1 })
      await refused({ prorationDate: confirmation.prorationDate - day })
      await refused({ dueNow: dueNow - 1 })
      await refused({ quantity: 2 })
      await refused({ priceId: 'price_team' })
      await refused({ prorationDate: Number.NaN })
      shop.fake.advance(1801)
      await refused({})
      expect(await paid(id)).toEqual([1900])
    })

    test('a bank that asks back leaves the old plan until it has its answer', async () => {
      const { accountId, id, customer } = await subscriber()
      shop.fake.setCard(customer, 'authenticates')
      const result = await changePlan(shop.billing, accountId, { planId: 'team' })
      expect(result).toMatchObject({
        status: 'payment-needed',
        payUrl: expect.stringContaining('/invoice/') as string,
      })
      await shop.settle()
      expect([await seats(accountId), await statusOf(shop.database, id)]).toEqual([3n, 'active'])
      const { waiting, invoices: shown } = await billingDetails(shop.billing, accountId)
      expect(waiting).toMatchObject({ planId: 'team', seats: 1 })
      expect(shown[0]).toMatchObject({ status: 'open', remaining: 3000 })
      expect(shop.sent.map(({ topic }) => topic)).toContain('invoice.payment_action_required')
      shop.fake.setCard(customer, 'succeeds')
      await shop.stripe.invoices.pay(shown[0]?.id ?? '')
      await shop.settle()
      expect([await seats(accountId), (await paid(id))[0]]).toEqual([10n, 3000])
      expect((await billingDetails(shop.billing, accountId)).waiting).toBeUndefined()
    })

    test('an upgrade that nobody pays for is forgotten, and owes nothing', async () => {
      const { accountId, id, customer } = await subscriber()
      shop.fake.setCard(customer, 'fails')
      expect(await changePlan(shop.billing, accountId, { planId: 'team' })).toMatchObject({
        status: 'payment-needed',
      })
      shop.fake.advance(day)
      await shop.settle()
      expect(linesAtStripe(id)).toEqual([['price_pro', 1]])
      expect((await invoices(id)).map(({ status }) => status)).toEqual(['void', 'paid'])
      expect([await seats(accountId), await statusOf(shop.database, id)]).toEqual([3n, 'active'])
    })

    test('an upgrade that waits can be taken back, or replaced', async () => {
      const { accountId, id, customer } = await subscriber()
      shop.fake.setCard(customer, 'fails')
      await changePlan(shop.billing, accountId, { planId: 'team' })
      await takeBackChange(shop.billing, accountId)
      expect((await invoices(id))[0]?.status).toBe('void')
      await changePlan(shop.billing, accountId, { planId: 'team' })
      shop.fake.setCard(customer, 'succeeds')
      expect(await changePlan(shop.billing, accountId, { seats: 2 })).toEqual({ status: 'changed' })
      await shop.settle()
      expect(linesAtStripe(id)).toEqual([['price_pro', 2]])
      expect((await invoices(id)).map(({ status }) => status)).toEqual(['paid', 'void', 'void', 'paid'])
    })

    test('a downgrade waits for the end of what is paid, and is shown until then', async () => {
      const { accountId, id } = await subscriber('price_team', 2)
      const preview = await previewChange(shop.billing, accountId, { planId: 'pro', seats: 1 })
      expect(preview).toMatchObject({ when: 'period-end', dueNow: 0, perPeriod: 1900 })
      const result = await changePlan(
        shop.billing,
        accountId,
        { planId: 'pro', seats: 1 },
        preview.confirmation,
      )
      expect(result).toEqual({ status: 'scheduled', at: preview.at })
      await shop.settle()
      expect([await seats(accountId), await paid(id)]).toEqual([20n, [9800]])
      expect((await billingDetails(shop.billing, accountId)).scheduled).toEqual({
        planId: 'pro',
        seats: 1,
        at: preview.at,
        byOperator: false,
      })
      expect((await billingDetails(shop.billing, accountId)).nextInvoice).toEqual({
        amount: 1900,
        currency: 'usd',
        at: preview.at,
      })
      shop.fake.advance(32 * day)
      await shop.settle()
      expect([await seats(accountId), await paid(id)]).toEqual([3n, [1900, 9800]])
      expect((await billingDetails(shop.billing, accountId)).scheduled).toBeUndefined()
      // The schedule is still there, and stands in nobody's way.
      await cancel(shop.billing, accountId)
      await resume(shop.billing, accountId)
      expect(await changePlan(shop.billing, accountId, { planId: 'team' })).toEqual({ status: 'changed' })
    })

    test('a scheduled downgrade can be taken back, and choosing the plan of now does the same', async () => {
      const { accountId, id } = await subscriber('price_team')
      for (const takeBack of [
        () => takeBackChange(shop.billing, accountId),
        () => changePlan(shop.billing, accountId, { planId: 'team' }),
      ]) {
        await changePlan(shop.billing, accountId, { planId: 'pro' })
        await takeBack()
        expect((await billingDetails(shop.billing, accountId)).scheduled).toBeUndefined()
      }
      shop.fake.advance(32 * day)
      await shop.settle()
      expect(linesAtStripe(id)).toEqual([['price_team', 1]])
      await takeBackChange(shop.billing, accountId) // of nothing
    })

    test('a later downgrade, an upgrade or a cancel takes the place of a scheduled one', async () => {
      const { accountId, id } = await subscriber('price_team', 3)
      const scheduled = async () => (await billingDetails(shop.billing, accountId)).scheduled
      await changePlan(shop.billing, accountId, { planId: 'pro' })
      expect(await scheduled()).toMatchObject({ planId: 'pro', seats: 3 })
      await changePlan(shop.billing, accountId, { seats: 2 })
      expect(await scheduled()).toMatchObject({ planId: 'team', seats: 2 })
      expect(await previewChange(shop.billing, accountId, { seats: 4 })).toMatchObject({
        when: 'now',
        dueNow: 4900,
        replacesPlanned: true,
      })
      await changePlan(shop.billing, accountId, { seats: 4 })
      expect(await scheduled()).toBeUndefined()
      await changePlan(shop.billing, accountId, { planId: 'pro' })
      await cancel(shop.billing, accountId)
      expect(await scheduled()).toBeUndefined()
      // It ends before a downgrade would begin.
      await expect(changePlan(shop.billing, accountId, { seats: 1 })).rejects.toMatchObject({
        code: 'OUTGROW_BILLING_UNCHANGEABLE',
      })
      await resume(shop.billing, accountId)
      await changePlan(shop.billing, accountId, { seats: 1 })
      await cancel(shop.billing, accountId, 'now')
      await shop.settle()
      expect(await statusOf(shop.database, id)).toBe('canceled')
    })

    test('on a trial every change is made at once, and costs nothing', async () => {
      const account = await shop.account()
      const { id } = await shop.stripe.subscriptions.create({
        customer: account.customer,
        items: [{ price: 'price_team' }],
        trial_period_days: 14,
      })
      await shop.settle()
      const preview = await previewChange(shop.billing, account.accountId, { planId: 'pro' })
      expect(preview).toMatchObject({ when: 'now', dueNow: 0 })
      await changePlan(shop.billing, account.accountId, { planId: 'pro' }, preview.confirmation)
      expect(await seats(account.accountId)).toBe(3n)
      expect((await invoices(id)).every(({ total }) => total === 0)).toBe(true)
      expect(await statusOf(shop.database, id)).toBe('trialing')
    })

    test('a schedule of an operator, and a subscription paid by nobody, are left alone', async () => {
      const { accountId, id } = await subscriber()
      await shop.stripe.subscriptions.update(id, { pause_collection: { behavior: 'void' } })
      await shop.settle()
      const refused = { code: 'OUTGROW_BILLING_UNCHANGEABLE' }
      await expect(changePlan(shop.billing, accountId, { planId: 'team' })).rejects.toMatchObject(refused)
      await shop.stripe.subscriptions.update(id, { pause_collection: '' })
      const { id: schedule, phases } = await shop.stripe.subscriptionSchedules.create({
        from_subscription: id,
      })
      const [phase] = phases
      await shop.stripe.subscriptionSchedules.update(schedule, {
        end_behavior: 'release',
        phases: [
          {
            items: [{ price: 'price_pro' }],
            start_date: phase?.start_date ?? 0,
            end_date: phase?.end_date ?? 0,
          },
          { items: [{ price: 'price_team' }], duration: { interval: 'month', interval_count: 3 } },
        ],
      })
      await expect(changePlan(shop.billing, accountId, { planId: 'team' })).rejects.toMatchObject(refused)
      await expect(takeBackChange(shop.billing, accountId)).rejects.toMatchObject(refused)
      expect((await billingDetails(shop.billing, accountId)).scheduled).toMatchObject({
        planId: 'team',
        byOperator: true,
      })
      // A customer can leave whatever an operator has planned.
      await cancel(shop.billing, accountId)
      expect(shop.fake.store.subscription(id).object.cancel_at_period_end).toBe(true)
    })

    test('a plan that is not sold, and one whose price is not paid, are refused before anything is changed', async () => {
      const { accountId, id, customer } = await subscriber()
      await expect(changePlan(shop.billing, accountId, { planId: 'gone' })).rejects.toMatchObject({
        code: 'OUTGROW_BILLING_PLAN',
      })
      shop.fake.setCard(customer, 'fails')
      shop.fake.advance(32 * day)
      await shop.settle()
      await expect(changePlan(shop.billing, accountId, { planId: 'team' })).rejects.toMatchObject({
        code: 'OUTGROW_BILLING_NO_SUBSCRIPTION',
      })
      expect(linesAtStripe(id)).toEqual([['price_pro', 1]])
    })

    test('of two tabs at once one upgrades, the other is refused, and one amount is charged', async () => {
      const { accountId, id } = await subscriber()
      const first = await previewChange(shop.billing, accountId, { planId: 'team' })
      const second = await previewChange(shop.billing, accountId, { seats: 5 })
      const results = await shop.atOnce((held) => [
        changePlan(held, accountId, { planId: 'team' }, first.confirmation),
        changePlan(held, accountId, { planId: 'team' }, first.confirmation),
      ])
      expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
      expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: { code: 'OUTGROW_BILLING_CHANGE_PENDING' },
      })
      // The other tab shows an amount of another plan by now.
      await expect(
        changePlan(shop.billing, accountId, { seats: 5 }, second.confirmation),
      ).rejects.toMatchObject({
        code: 'OUTGROW_BILLING_CHANGED',
      })
      await expect(
        changePlan(shop.billing, accountId, { planId: 'team' }, first.confirmation),
      ).rejects.toMatchObject({ code: 'OUTGROW_BILLING_CHANGED' })
      expect(await paid(id)).toEqual([3000, 1900])
    })

    test('a lost answer is no refusal: the change is seen, and made once', async () => {
      const { accountId, id } = await subscriber()
      const lossy = losing(shop, /POST .*\/v1\/subscriptions\/sub_/)
      await expect(changePlan(lossy, accountId, { planId: 'team' })).rejects.toMatchObject({
        type: 'StripeConnectionError',
      })
      expect(await seats(accountId)).toBe(10n)
      expect(await changePlan(shop.billing, accountId, { planId: 'team' })).toEqual({ status: 'unchanged' })
      expect(await paid(id)).toEqual([3000, 1900])
    })

    test('a crash between the call and the commit is healed by the event, and nothing is charged twice', async () => {
      const { accountId, id } = await subscriber()
      await expect(changePlan(dying(shop), accountId, { planId: 'team' })).rejects.toThrow('killed')
      expect([await seats(accountId), await paid(id)]).toEqual([3n, [3000, 1900]])
      // Its mark is still there, and keeps others out until it is taken for lost.
      await expect(changePlan(shop.billing, accountId, { planId: 'pro' })).rejects.toMatchObject({
        code: 'OUTGROW_BILLING_CHANGE_PENDING',
      })
      await shop.settle()
      expect(await seats(accountId)).toBe(10n)
      shop.fake.advance(301)
      expect(await changePlan(shop.billing, accountId, { planId: 'team' })).toEqual({ status: 'unchanged' })
      expect(await paid(id)).toEqual([3000, 1900])
    })

    test('a crash between the two calls of a downgrade leaves a schedule that does nothing, and is used again', async () => {
      const { accountId, id } = await subscriber('price_team')
      const lossy = losing(shop, /POST .*\/v1\/subscription_schedules$/)
      await expect(changePlan(lossy, accountId, { planId: 'pro' })).rejects.toMatchObject({
        type: 'StripeConnectionError',
      })
      expect((await billingDetails(shop.billing, accountId)).scheduled).toBeUndefined()
      await changePlan(shop.billing, accountId, { planId: 'pro' })
      expect((await billingDetails(shop.billing, accountId)).scheduled).toMatchObject({ planId: 'pro' })
      shop.fake.advance(32 * day)
      await shop.settle()
      expect(linesAtStripe(id)).toEqual([['price_pro', 1]])
    })
  })

/** Billing whose connection breaks after Stripe has done what a request asks for. */
function losing({ billing, fake }: Shop, lost: RegExp): Billing {
  const stripe = new Stripe('sk_test_shop', {
    httpClient: Stripe.createFetchHttpClient(async (input: string | URL | Request, init?: RequestInit) => {
      const answer = await fake.fetch(input, init)
      const { method, url } = input instanceof Request ? input : new Request(input, init)
      if (lost.test(`${method} ${new URL(url).pathname}`)) throw new TypeError('fetch failed')
      return answer
    }),
    maxNetworkRetries: 0,
  })
  return { ...billing, stripe }
}

/** Billing of a process that is killed when it has made its calls: it neither synchronizes nor takes its mark away. */
function dying({ billing }: Shop): Billing {
  const killed = () => Promise.reject(new Error('killed'))
  const { store } = billing
  return {
    ...billing,
    store: {
      ...store,
      transaction: (work) => store.transaction(work),
      fence: { ...store.fence, draw: killed },
      customers: { ...store.customers, endChange: killed },
    },
  }
}
