import { day, type Seconds } from '../clock.ts'
import { ApiError } from './errors.ts'

interface Remembered {
  request: string
  status: number
  body: string
  at: Seconds
}

/** What keys were answered, for a day: successes, and failures of what had begun. */
export class IdempotencyKeys {
  readonly #remembered = new Map<string, Remembered>()

  /**
   * The answer that a key was given before.
   * @throws ApiError when it was for another request
   */
  recall(key: string, request: string, now: Seconds): { status: number; body: string } | undefined {
    const known = this.#remembered.get(key)
    if (!known || now - known.at >= day) return undefined
    if (known.request === request) return known
    throw new ApiError(
      400,
      `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
      { type: 'idempotency_error' },
    )
  }

  remember(key: string, answer: Remembered): void {
    this.#remembered.set(key, answer)
  }
}
