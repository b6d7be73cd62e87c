import type { PostgresClient } from '@outgrow/databases'

/** How long the target takes to answer, in ms: the median of a few times. */
export async function roundTripMs(client: PostgresClient): Promise<number> {
  const times: number[] = []
  for (let at = 0; at < 5; at++) {
    const started = performance.now()
    await client.query('SELECT 1')
    times.push(performance.now() - started)
  }
  return times.toSorted((a, b) => a - b)[2] ?? 0
}
