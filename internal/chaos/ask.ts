import { accountAt, type Life } from './life.ts'
import type { ApplicationChange, Death, Step } from './lifecycle.ts'
import type { Answer } from './processes.ts'

export type StepOf<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>

/** What the application may answer for good reasons; whatever else it throws is a bug of the product. */
function note(life: Life, action: string, answer: Answer): Answer {
  if (answer.bug !== undefined) life.violations.push(`the application failed to ${action}: ${answer.bug}`)
  return answer
}

/** Asks the application for something, and has it die on the way if it is to. */
export async function ask(
  life: Life,
  death: Death,
  action: string,
  accountId: string,
  argument = '',
): Promise<Answer> {
  const { application, gateway } = life.arena
  await application.ready
  if (death?.point === 'before call' || death?.point === 'after call') {
    const { point } = death
    gateway.cut(point, death.times, () => application.kill(point))
  } else if (death) application.tell({ dieAt: death.point, times: death.times })
  const answer = await application.ask(action, accountId, argument)
  gateway.mend()
  if (death) application.tell({ dieAt: undefined, times: 1 })
  return note(life, action, answer)
}

export async function openPage(life: Life, { account, plan, death }: StepOf<'open-page'>): Promise<void> {
  const accountId = accountAt(life, account)
  keepPage(life, accountId, await ask(life, death, 'checkout', accountId, plan))
}

/** Two tabs of one customer open a page each, at the same time. */
export async function twoTabs(
  life: Life,
  { account, plan, other }: StepOf<'two-tabs' | 'buy-twice'>,
): Promise<void> {
  const accountId = accountAt(life, account)
  const answers = await Promise.all([plan, other].map((each) => ask(life, null, 'checkout', accountId, each)))
  for (const answer of answers) keepPage(life, accountId, answer)
}

/** Who has paid one page asks for another, before Stripe's events are here. */
export async function buyTwice(
  life: Life,
  { account, plan, other }: StepOf<'two-tabs' | 'buy-twice'>,
): Promise<void> {
  const accountId = accountAt(life, account)
  for (const each of [plan, other]) {
    const { value } = await ask(life, null, 'checkout', accountId, each)
    if (value === undefined) return
    life.fake.completeCheckout(value)
  }
}

export function keepPage({ pages }: Life, accountId: string, { value }: Answer): void {
  if (value === undefined) return
  pages.set(accountId, [...(pages.get(accountId) ?? []), value])
}

/** The customer pays a page that is open somewhere, and comes back from it, or the card is declined. */
export async function payPage(
  life: Life,
  { kind, account, page }: StepOf<'pay-page' | 'decline-page'>,
): Promise<void> {
  const accountId = accountAt(life, account)
  const open = life.pages.get(accountId) ?? []
  // Mostly the last one.
  const id = open.at(-1 - (page % Math.max(open.length, 1)))
  if (id === undefined) return
  life.fake.completeCheckout(id, kind === 'pay-page')
  if (kind === 'pay-page' && life.chance() < 0.5) await ask(life, null, 'return', accountId, id)
}

export async function askChange(
  life: Life,
  { account, change, plan, death }: StepOf<'change'>,
): Promise<void> {
  await ask(life, death, change, accountAt(life, account), plan)
}

export async function twoChanges(
  life: Life,
  { account, changes, plan }: StepOf<'two-changes'>,
): Promise<void> {
  const meeting = life.arena.gateway.meet()
  const asked = changes.map((each) => ask(life, null, each, accountAt(life, account), plan))
  // One is refused while the other waits at Stripe, or meets it there.
  await Promise.race(asked)
  meeting.part()
  await Promise.all(asked)
}

/** A change whose request died keeps others away for a while, and no longer. */
export async function changesRunOut(life: Life): Promise<void> {
  const { application, database } = life.arena
  for (const accountId of life.accounts) {
    const row = await database.client.billingCustomer.findUnique({ where: { accountId } })
    if (!row?.changeUntil) continue
    const last: ApplicationChange = 'cancel-later'
    await application.ready
    application.tell({ clockMs: 600_000 })
    const { failure } = await ask(life, null, last, accountId)
    application.tell({ clockMs: 0 })
    if (failure === 'OUTGROW_BILLING_CHANGE_PENDING')
      life.violations.push(`the change of account ${accountId} that died stands in the way for ever`)
  }
}
