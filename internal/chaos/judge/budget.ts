import type { Call } from '../gateway.ts'

/** Calls of each endpoint that a worker may make in a second, in lives about Stripe's limit. */
export const budget = 4

/** Workers that called an endpoint more often than they may, in the time until their last call. */
export function overBudget(calls: readonly Call[], startedMs: number): string[] {
  const workers = Map.groupBy(
    calls.filter(({ caller }) => caller === 'worker'),
    ({ at, endpoint }) => `worker ${at} called ${endpoint}`,
  )
  return [...workers].flatMap(([what, own]) => {
    const seconds = ((own.at(-1)?.ms ?? startedMs) - startedMs) / 1000
    // A quarter of a second's calls may come at once after a rest.
    const may = Math.ceil(budget * (seconds + 1 / 4)) + 1
    return own.length > may ? [`${what} ${own.length} times in ${seconds} s; ${may} were allowed`] : []
  })
}
