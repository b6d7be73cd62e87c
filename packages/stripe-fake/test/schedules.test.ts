import { expect, test } from 'vitest'
import { day } from '../src/index.ts'
import { start } from './start.ts'

async function scheduled() {
  const started = start()
  const { stripe, team, pro, subscribe } = started
  const subscription = await subscribe(team)
  const schedule = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id })
  const downgrade = () =>
    stripe.subscriptionSchedules.update(schedule.id, {
      end_behavior: 'release',
      phases: [
        {
          start_date: schedule.phases[0]?.start_date ?? 0,
          end_date: schedule.phases[0]?.end_date ?? 0,
          items: [{ price: team, quantity: 1 }],
        },
        { items: [{ price: pro, quantity: 2 }], duration: { interval: 'month' }, proration_behavior: 'none' },
      ],
    })
  return { ...started, ...subscription, schedule, downgrade }
}

test('a downgrade waits for the end of the period, and the clock carries it out', async () => {
  const { fake, stripe, pro, id, end, schedule, downgrade, types } = await scheduled()
  expect(schedule).toMatchObject({ status: 'active', subscription: id, phases: [{ end_date: end }] })
  expect((await stripe.subscriptions.retrieve(id)).schedule).toBe(schedule.id)
  const { phases } = await downgrade()
  expect(phases).toHaveLength(2)
  types()
  fake.advance(end - fake.store.now)
  const after = await stripe.subscriptions.retrieve(id)
  expect(after.items.data.map(({ price, quantity }) => [price.id, quantity])).toEqual([[pro, 2]])
  const [renewal] = (await stripe.invoices.list({ subscription: id, limit: 1 })).data
  expect(renewal).toMatchObject({ total: 2000, status: 'paid' })
  expect(types()).toEqual([
    'customer.subscription.updated',
    'subscription_schedule.updated',
    'invoice.paid',
    'customer.subscription.updated',
  ])
  fake.advance(32 * day)
  expect(await stripe.subscriptionSchedules.retrieve(schedule.id)).toMatchObject({
    status: 'released',
    released_subscription: id,
    subscription: null,
  })
  expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'active', schedule: null })
})

test('a schedule is released, and what it would have changed stays', async () => {
  const { fake, stripe, team, id, end, schedule, downgrade } = await scheduled()
  await downgrade()
  expect((await stripe.subscriptionSchedules.release(schedule.id)).status).toBe('released')
  fake.advance(end - fake.store.now)
  expect((await stripe.subscriptions.retrieve(id)).items.data[0]?.price.id).toBe(team)
  await expect(stripe.subscriptionSchedules.release(schedule.id)).rejects.toMatchObject({ statusCode: 400 })
  expect((await stripe.subscriptionSchedules.list({ scheduled: false })).data).toHaveLength(1)
})

test('a schedule decides on the end of its subscription', async () => {
  const { fake, stripe, id, end, schedule } = await scheduled()
  await expect(stripe.subscriptions.update(id, { cancel_at_period_end: true })).rejects.toMatchObject({
    message: expect.stringContaining(schedule.id) as string,
  })
  await stripe.subscriptionSchedules.update(schedule.id, { end_behavior: 'cancel' })
  fake.advance(end - fake.store.now)
  expect((await stripe.subscriptions.retrieve(id)).status).toBe('canceled')
  expect((await stripe.subscriptionSchedules.retrieve(schedule.id)).status).toBe('completed')
})

test('a cancel at once ends the schedule too', async () => {
  const { stripe, id, schedule } = await scheduled()
  await stripe.subscriptions.cancel(id)
  expect(await stripe.subscriptionSchedules.retrieve(schedule.id)).toMatchObject({
    status: 'canceled',
    current_phase: null,
  })
})

test('phases that do not follow each other are refused', async () => {
  const { stripe, pro, end, schedule } = await scheduled()
  const items = [{ price: pro }]
  const [{ start_date: from } = { start_date: 0 }] = schedule.phases
  const update = (phases: Parameters<typeof stripe.subscriptionSchedules.update>[1]) =>
    stripe.subscriptionSchedules.update(schedule.id, phases)
  await expect(update({ phases: [{ items }] })).rejects.toMatchObject({ param: 'phases[0][start_date]' })
  await expect(update({ phases: [{ start_date: from, items }, { items }] })).rejects.toMatchObject({
    param: 'phases[0][end_date]',
  })
  await expect(
    update({
      phases: [
        { start_date: from, end_date: end, items },
        { start_date: end + day, items },
      ],
    }),
  ).rejects.toMatchObject({ param: 'phases[1][start_date]' })
  expect((await stripe.subscriptionSchedules.retrieve(schedule.id)).phases).toHaveLength(1)
})
