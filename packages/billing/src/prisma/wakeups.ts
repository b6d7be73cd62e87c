import type { Wakeups } from '../store.ts'
import type { PrismaDatabase } from './client.ts'

/** What Postgres notifies of new events. */
export const wakeChannel = 'outgrow_billing'

/** By client: several stores of one process may be on one database. */
const listeners = new WeakMap<object, Set<() => void>>()

/** Wakes the workers of this process by a call, and hears of other processes' events where the database can say it. */
export function wakeupsOf(database: PrismaDatabase): Wakeups & { wake(): void } {
  const { client } = database
  const here = listeners.get(client) ?? new Set()
  listeners.set(client, here)
  return {
    wake() {
      for (const listener of here) listener()
    },
    subscribe(wake) {
      const listener = () => wake() // one that subscribes twice is heard twice
      here.add(listener)
      const endListening = database.listen?.(wakeChannel, listener)
      return async () => {
        here.delete(listener)
        await endListening?.()
      }
    },
  }
}
