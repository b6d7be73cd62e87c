import type { PostgresClient } from './postgres.ts'

/**
 * Sends queries without waiting for the answer of each: they run in their order, for one round trip. Of several that fail
 * the first is thrown, once all were answered: behind it in a transaction the rest only say that it is aborted.
 * Outside a transaction those behind a failure run all the same. The driver takes no COPY stream meanwhile. One may stand
 * within another, but not beside it on the same connection.
 * @param send makes the queries, as promises
 */
export async function pipelined<const Answers extends readonly unknown[]>(
  client: PostgresClient,
  send: () => Answers,
): Promise<{ -readonly [At in keyof Answers]: Awaited<Answers[At]> }> {
  const mode: { pipeline: boolean } = client // its types know it as a setting of the constructor only
  const isWithin = mode.pipeline
  mode.pipeline = true
  try {
    const answers = await Promise.allSettled(send())
    const failed = answers.find(({ status }) => status === 'rejected')
    if (failed) throw (failed as PromiseRejectedResult).reason
    return answers.map((answer) => (answer as PromiseFulfilledResult<unknown>).value) as {
      -readonly [At in keyof Answers]: Awaited<Answers[At]>
    }
  } finally {
    mode.pipeline = isWithin
  }
}
