import { setTimeout as sleep } from 'node:timers/promises'

const maxAttempts = 5

/**
 * Calls Stripe with a key that is the same for the same intent. Stripe keeps what a key was answered for a day, a failure
 * of its own too: after one the next key is taken. While another request with the key is under way, this one waits.
 */
export async function withFreshKey<Answer>(
  intent: string,
  call: (key: string) => Promise<Answer>,
): Promise<Answer> {
  for (let attempt = 1, fresh = 1; ; attempt++) {
    try {
      return await call(`${intent}:${fresh}`)
    } catch (error) {
      const { statusCode = 0, code } = error as { statusCode?: number; code?: string }
      if (attempt === maxAttempts) throw error
      if (code === 'idempotency_key_in_use') await sleep(250 * attempt)
      else if (statusCode >= 500) fresh++
      else throw error
    }
  }
}
