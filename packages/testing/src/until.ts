import { setTimeout as sleep } from 'node:timers/promises'

/** Asks again and again, until the answer is yes. Only the test's own time limit ends it otherwise. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(10)
}
