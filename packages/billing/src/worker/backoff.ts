/** After this many attempts, which take about three days, an event or a message is given up and kept as dead. */
export const maxAttempts = 100

/** What was claimed more often than it may fail took its workers with it: it is given up before it takes another. */
export function isCrashLoop({ attempts }: { attempts: number }): boolean {
  return attempts > maxAttempts
}

export function crashLoop(): Error {
  return new Error('abandoned: every worker that claimed it died')
}

/** When to try again: from a second to an hour, by chance up to half of it sooner, and never before Stripe asks. */
export function nextAttemptAt(now: Date, attempts: number, error: unknown): Date {
  const pause = Math.min(3_600_000, 1000 * 2 ** Math.min(attempts - 1, 20)) * (0.5 + Math.random() / 2)
  return new Date(now.getTime() + Math.max(pause, retryAfterMs(error)))
}

/** How long Stripe asks to wait, at most an hour; 0 when it says nothing. */
export function retryAfterMs(error: unknown): number {
  const seconds = Number((error as { headers?: Record<string, string> } | null)?.headers?.['retry-after'])
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) * 1000 : 0
}

/** What went wrong, short and without payloads: it is stored and shown. */
export function errorText(error: unknown): string {
  const { code, type } = (error ?? {}) as { code?: string; type?: string }
  const message = error instanceof Error ? error.message : String(error)
  const lines = message.split('\n').filter((line) => line.trim() !== '')
  const label = [type, code].filter((part) => typeof part === 'string').join(' ')
  return `${label === '' ? '' : `${label}: `}${lines.at(-1) ?? 'no message'}`
    .replaceAll('\0', '')
    .slice(0, 500)
}
