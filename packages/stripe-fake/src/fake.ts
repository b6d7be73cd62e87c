import { deserialize, serialize } from 'node:v8'
import type { Hono } from 'hono'
import { ApiError } from './api/errors.ts'
import type { Seconds } from './clock.ts'
import { routesOf } from './routes/routes.ts'
import { StripeState, type Saved, type StripeFakeOptions } from './state.ts'

/** A connected account: its own state, its own pages, the platform's clock, faults and deliveries. */
interface Connected {
  state: StripeState
  routes: Hono
}

/**
 * A stateful stand-in for Stripe Billing with a clock of its own. `fetch` answers stripe-node, in process
 * (`Stripe.createFetchHttpClient(fake.fetch)`) or behind a server; the methods are what happens outside of the API.
 */
export class StripeFake extends StripeState {
  readonly #routes: Hono
  readonly #options: StripeFakeOptions
  readonly #connected = new Map<string, Connected>()

  constructor(options: StripeFakeOptions = {}) {
    super(options)
    this.#options = options
    this.#routes = routesOf(this)
    const { accounts = [] } = options.saved ? (deserialize(options.saved) as Saved) : {}
    for (const [account, store] of accounts) this.#connect(account, store)
  }

  /** An account that is connected to this one, asked for with `Stripe-Account`. Its events carry its id. */
  connect(account: string): StripeState {
    return (this.#connected.get(account) ?? this.#connect(account)).state
  }

  #connect(account: string, store?: Uint8Array): Connected {
    const { limits: _, saved: __, ...options } = this.#options
    const state = new StripeState(
      {
        ...options,
        now: this.store.now,
        namespace: `${options.namespace ?? 'fake'}${account.replace(/\W|_/g, '')}`,
        baseUrl: `${this.baseUrl}/_accounts/${account}`,
        ...(store ? { saved: serialize({ store, waiting: [], accounts: [] } satisfies Saved) } : {}),
      },
      { account, deliveries: this.deliveries, faults: this.faults },
    )
    const connected = { state, routes: routesOf(state) }
    this.#connected.set(account, connected)
    return connected
  }

  /** Time is the same for all accounts. */
  override advance(seconds: Seconds): void {
    super.advance(seconds)
    for (const { state } of this.#connected.values()) state.advance(seconds)
  }

  /** Everything that exists, and what waits for delivery, for another stand-in to go on from. */
  save(): Uint8Array {
    return serialize({
      store: this.store.save(),
      waiting: [...this.deliveries.peek()],
      accounts: [...this.#connected].map(([id, { state }]) => [id, state.store.save()]),
    } satisfies Saved)
  }

  /** Answers one request of the API, of a page or of the controls (`/_clock`, `/_faults`). */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = input instanceof Request ? input : new Request(input, init)
    if (this.latencyMs > 0) await new Promise((done) => setTimeout(done, this.latencyMs))
    const account = request.headers.get('stripe-account') ?? request.headers.get('stripe-context')
    if (account !== null) return this.#routesOf(account).fetch(request)
    const [, owner, path] = /^\/_accounts\/(\w+)(\/.*)$/.exec(new URL(request.url).pathname) ?? []
    if (owner === undefined || path === undefined) return this.#routes.fetch(request)
    const url = new URL(request.url)
    url.pathname = path
    return this.#routesOf(owner).fetch(new Request(url, request))
  }

  #routesOf(account: string): Pick<Hono, 'fetch'> {
    const known = this.#connected.get(account)
    if (known) return known.routes
    const refusal = new ApiError(
      403,
      `The provided key does not have access to account '${account}' (or that account does not exist).`,
      { code: 'account_invalid' },
    )
    return { fetch: () => refusal.toResponse() }
  }
}
