/** A field that was read of an object of the API, by the kind of object: `invoice` and `parent.type`. */
export interface Read {
  object: string
  field: string
  /** Whether the answer has it. */
  isThere: boolean
}

/**
 * A stripe-node that is watched: `onRead` hears of each field that is read of what it answers. So a test can hold an
 * application against what a stand-in gives.
 */
export function watchReads<Client extends object>(client: Client, onRead: (read: Read) => void): Client {
  return new Proxy(client, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value === 'function') {
        return (...given: unknown[]) =>
          watchAnswer((value as (...given: unknown[]) => unknown).apply(target, given), onRead)
      }
      return typeof value === 'object' && value !== null ? watchReads(value, onRead) : value
    },
  })
}

/** An answer is waited for, or a list that is gone through. */
function watchAnswer(answer: unknown, onRead: (read: Read) => void): unknown {
  if (typeof answer !== 'object' || answer === null) return answer
  return new Proxy(answer, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      const call = value.bind(target) as (...given: unknown[]) => unknown
      if (name === 'then') {
        return (done?: (answer: unknown) => unknown, failed?: (error: unknown) => unknown) =>
          call(done && ((result: unknown) => done(watchObject(result, onRead))), failed)
      }
      if (name === Symbol.asyncIterator) return () => watchIterator(call() as AsyncIterator<unknown>, onRead)
      return (...given: unknown[]) => watchAnswer(call(...given), onRead)
    },
  })
}

function watchIterator(
  iterator: AsyncIterator<unknown>,
  onRead: (read: Read) => void,
): AsyncIterableIterator<unknown> {
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      const { done, value } = await iterator.next()
      return done ? { done, value: undefined } : { done: false, value: watchObject(value, onRead) }
    },
  }
}

/** Names that the language asks for, and stripe-node’s own. */
const notRead = new Set(['then', 'toJSON', 'lastResponse'])

function watchObject(value: unknown, onRead: (read: Read) => void, parent?: Omit<Read, 'isThere'>): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((one) => watchObject(one, onRead, parent))
  const { object } = value as { object?: unknown }
  const kind = typeof object === 'string' ? object : parent?.object
  // Events are kept as they are, so all of them is read.
  if (kind === undefined || kind === 'event') return value
  const prefix = typeof object === 'string' || parent === undefined ? '' : `${parent.field}.`
  return new Proxy(value, {
    get(target, name, receiver) {
      const inner: unknown = Reflect.get(target, name, receiver)
      if (typeof name !== 'string' || typeof inner === 'function' || notRead.has(name)) return inner
      const field = `${prefix}${name}`
      onRead({ object: kind, field, isThere: name in target })
      return watchObject(inner, onRead, { object: kind, field })
    },
  })
}
