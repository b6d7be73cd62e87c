/**
 * A handle over whatever client `current` gives: who keeps the handle follows, and who keeps a model's delegate does not.
 * What is extended with `$extends` follows too.
 * @param own methods that are the handle's
 */
export function clientHandle<Client extends object>(
  current: () => Client,
  own: { readonly [Name in keyof Client | '$on']?: unknown } = {},
): Client {
  const methods = new WeakMap<Client, Map<PropertyKey, unknown>>()
  return new Proxy({} as Client, {
    get: (_, property) => {
      if (Object.hasOwn(own, property)) return Reflect.get(own, property) as unknown
      const client = current()
      const value: unknown = Reflect.get(client, property, client)
      // Models are objects; only the client's own methods need their client.
      if (typeof value !== 'function') return value
      const known = methods.get(client) ?? new Map<PropertyKey, unknown>()
      methods.set(client, known)
      const bound = known.get(property) ?? (property === '$extends' ? extending(current) : value.bind(client))
      known.set(property, bound)
      return bound
    },
    has: (_, property) => property in current(),
    set: (_, property, value) => Reflect.set(current(), property, value),
    getPrototypeOf: () => Reflect.getPrototypeOf(current()),
    ownKeys: () => Reflect.ownKeys(current()),
    getOwnPropertyDescriptor: (_, property) => {
      const descriptor = Reflect.getOwnPropertyDescriptor(current(), property)
      // A proxy may not call a property fixed that its own target lacks.
      return descriptor && { ...descriptor, configurable: true }
    },
  })
}

/** `$extends` of a handle: the extension is kept, and given to each client once. */
function extending(current: () => object) {
  return (extension: unknown): object => {
    const extended = new WeakMap<object, object>()
    return clientHandle(() => {
      const client = current()
      const known = extended.get(client)
      if (known) return known
      const made = (client as { $extends(extension: unknown): object }).$extends(extension)
      extended.set(client, made)
      return made
    })
  }
}
