const maxAttempts = 5

/**
 * Calls Stripe with a key that is the same for the same intent within an hour. Stripe keeps what a key was answered for a
 * day, a failure of its own too: after one, or an answer that is of no use any more, the next key is taken.
 * @param isUseful judges an answer that may be an old one
 */
export async function withFreshKey<Answer>(
  intent: string,
  now: Date,
  call: (key: string) => Promise<Answer>,
  isUseful: (answer: Answer) => boolean = () => true,
): Promise<Answer> {
  const hour = Math.floor(now.getTime() / 3_600_000)
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await call(`${intent}:${hour}:${attempt}`)
      if (isUseful(answer) || attempt === maxAttempts) return answer
    } catch (error) {
      const status = (error as { statusCode?: number }).statusCode ?? 0
      if (status < 500 || attempt === maxAttempts) throw error
    }
  }
}
