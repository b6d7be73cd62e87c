import type { Hono } from 'hono'
import { routesOf } from './routes/routes.ts'
import { StripeState, type StripeFakeOptions } from './state.ts'

/**
 * A stateful stand-in for Stripe Billing with a clock of its own. `fetch` answers stripe-node, in process
 * (`Stripe.createFetchHttpClient(fake.fetch)`) or behind a server; the methods are what happens outside of the API.
 */
export class StripeFake extends StripeState {
  readonly #routes: Hono

  constructor(options: StripeFakeOptions = {}) {
    super(options)
    this.#routes = routesOf(this)
  }

  /** Answers one request of the API, of a page or of the controls (`/_clock`, `/_faults`). */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = input instanceof Request ? input : new Request(input, init)
    if (this.latencyMs > 0) await new Promise((done) => setTimeout(done, this.latencyMs))
    return this.#routes.fetch(request)
  }
}
