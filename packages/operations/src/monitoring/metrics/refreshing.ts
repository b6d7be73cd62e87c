/**
 * Answers what was read last, and reads it again in the background once that is older than an interval: a read may take
 * longer than whoever asks can wait.
 * @param now ms of a clock that never goes back
 * @returns what throws what the last read threw; what is older than two intervals is not answered, the read is waited for
 */
export function refreshing<Result>(
  read: () => Promise<Result>,
  everyMs: number,
  now: () => number = () => performance.now(),
): () => Promise<Result> {
  let known: { result: Result; at: number } | undefined
  let reading: Promise<Result> | undefined
  const readAgain = async () => {
    const at = now()
    try {
      const result = await read()
      known = { result, at }
      return result
    } catch (error) {
      known = undefined
      throw error
    } finally {
      reading = undefined
    }
  }
  return async () => {
    const age = known ? now() - known.at : Infinity
    if (known && age < everyMs) return known.result
    reading ??= readAgain()
    if (!known || age > 2 * everyMs) return reading
    reading.catch(() => {}) // the next one who asks reads anew, and hears of it
    return known.result
  }
}
