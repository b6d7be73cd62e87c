import { setTimeout as sleep } from 'node:timers/promises'
import type { StripeFake } from '@outgrow/stripe-fake'

/** Who calls Stripe is known by the key. */
export type Caller = 'worker' | 'application' | 'harness'

/** The key of a process; workers are numbered. */
export function keyOf(caller: Caller, at?: number): string {
  return `sk_test_${caller}${at ?? ''}`
}

/** A request that reached Stripe. */
export interface Call {
  caller: Caller
  /** Which of them, where there are several. */
  at: number
  /** `GET /v1/subscriptions`, with the ids left out. */
  endpoint: string
  customer: string | null
  ms: number
  /** It was refused for there were too many. */
  isRefused: boolean
}

export interface Message {
  key: string
  topic: string
  payload: { customerId: string; objectId: string }
}

/** The way to Stripe: counts, refuses what is above a limit, and cuts off who is to die on the way. */
export class Gateway {
  /** Stripe, as of this life. */
  fake: StripeFake
  /** Calls of one endpoint that Stripe takes within a second; undefined without a limit. */
  limit: number | undefined
  /** How long an answer may be on its way, in milliseconds: what was true when it left need not be when it comes. */
  transitMs = 0
  /** Numbers of the workers that cannot reach Stripe. */
  readonly cutOff = new Set<number>()
  calls: Call[] = []
  sent: Message[] = []
  wrong: string[] = []
  /** Called once at the `times`th write that the application sends, before it is made or after. */
  #cut: { when: 'before call' | 'after call'; times: number; kill: () => void } | undefined
  /** Customers of whom a change is under way. */
  readonly #changing = new Set<string>()
  #meeting: { promise: Promise<void>; part: () => void } | undefined
  readonly #chance: () => number

  constructor(fake: StripeFake, chance: () => number) {
    this.fake = fake
    this.#chance = chance
  }

  /** Begins a life with a Stripe of its own. */
  renew(fake: StripeFake): void {
    this.fake = fake
    this.recover()
    this.#cut = undefined
    this.calls = []
    this.sent = []
    this.wrong = []
    this.#changing.clear()
  }

  /** Ends what keeps calls from being answered at once. */
  recover(): void {
    this.limit = undefined
    this.transitMs = 0
    this.cutOff.clear()
  }

  cut(when: 'before call' | 'after call', times: number, kill: () => void): void {
    this.#cut = { when, times, kill }
  }

  /** Lets the application live from now on. */
  mend(): void {
    this.#cut = undefined
  }

  readonly fetch = async (request: Request): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/_sent') return this.#receive(request)
    const { caller, at } = callerOf(request)
    const endpoint = `${request.method} ${pathname.replaceAll(/\/[a-z]+(_[a-z]+)*_\w*\d\w*/g, '/:id')}`
    const ms = Date.now()
    const call = { caller, at, endpoint, customer: searchParams.get('customer'), ms, isRefused: false }
    if (caller !== 'harness' && this.limit !== undefined) {
      const before = this.calls.filter((one) => one.ms > ms - 1000 && one.endpoint === endpoint).length
      call.isRefused = before >= this.limit
    }
    this.calls.push(call)
    if (call.isRefused) return tooMany(this.#chance() < 0.5)
    if (caller === 'worker' && this.cutOff.has(at)) return unreachable()
    const isChange = caller === 'application' && request.method !== 'GET'
    const answer = await (isChange ? this.#write(request, pathname) : this.fake.fetch(request))
    const onItsWay = this.#chance() * this.transitMs
    if (onItsWay > 1) await sleep(onItsWay)
    return answer
  }

  /** Has the next change wait at Stripe until another comes, or until it is let go. */
  meet(): { part: () => void } {
    const meeting = Promise.withResolvers<void>()
    // Who makes one after the other never meets.
    const late = setTimeout(meeting.resolve, 2000)
    this.#meeting = { promise: meeting.promise, part: meeting.resolve }
    return {
      part: () => {
        clearTimeout(late)
        meeting.resolve()
        this.#meeting = undefined
      },
    }
  }

  /** A write of the application: it may die before it or after it, and must not make two changes at once. */
  async #write(request: Request, pathname: string): Promise<Response> {
    const cut = this.#cut
    const isCut = cut !== undefined && --cut.times === 0
    const never = () => new Promise<Response>(() => {})
    if (isCut && cut.when === 'before call') {
      cut.kill()
      return never()
    }
    const subscription = /^\/v1\/subscriptions\/(\w+)/.exec(pathname)?.[1]
    const answer = await (subscription === undefined
      ? this.fake.fetch(request)
      : this.#change(request, subscription))
    if (!isCut) return answer
    cut.kill()
    return never()
  }

  /** A change of a subscription: no other may be under way for its customer. */
  async #change(request: Request, subscription: string): Promise<Response> {
    const { fake } = this
    const owner = fake.store.subscriptions.get(subscription)?.object.customer as string
    if (this.#changing.has(owner)) {
      this.wrong.push(`two changes of ${owner} were made at once`)
      this.#meeting?.part()
      return fake.fetch(request)
    }
    this.#changing.add(owner)
    try {
      await this.#meeting?.promise
      return await fake.fetch(request)
    } finally {
      this.#changing.delete(owner)
    }
  }

  async #receive(request: Request): Promise<Response> {
    this.sent.push((await request.json()) as Message)
    // It went out, and the worker does not know: it must send again, under the same key.
    return new Response(null, { status: this.#chance() < 0.1 ? 500 : 204 })
  }
}

function callerOf(request: Request): { caller: Caller; at: number } {
  const [, caller, at] =
    /sk_test_(worker|application)(\d*)$/.exec(request.headers.get('authorization') ?? '') ?? []
  return { caller: (caller as Caller | undefined) ?? 'harness', at: Number(at) }
}

function unreachable(): Response {
  const error = { type: 'api_error', message: 'Stripe is not to be reached from here' }
  return Response.json({ error }, { status: 503, headers: { 'request-id': 'req_chaos' } })
}

function tooMany(saysWhen: boolean): Response {
  const error = { type: 'rate_limit_error', code: 'rate_limit', message: 'Too many requests' }
  return Response.json(
    { error },
    { status: 429, headers: { 'request-id': 'req_chaos', ...(saysWhen ? { 'retry-after': '1' } : {}) } },
  )
}
