import type { Provider } from '@outgrow/databases'

/** Beside a filter's own keys, so that it is kept where a filter is spread: how to write it for either provider. */
const written = Symbol('written for a provider')

type Filter = Record<PropertyKey, unknown>

/** A filter that is written differently on the two databases. Whatever client it is given to writes it for its own. */
export function filterFor<Result extends object>(
  provider: Provider,
  write: (provider: Provider) => Result,
): Result {
  return { ...write(provider), [written]: write }
}

/** The same arguments, with the filters in them that were made for the other provider made anew. */
export function writtenFor(provider: Provider, value: unknown): unknown {
  if (Array.isArray(value)) return replaced(value, () => value.map((item) => writtenFor(provider, item)))
  if (!isPlain(value)) return value
  const write = value[written] as ((provider: Provider) => object) | undefined
  const own = write ? rewritten(value, write, provider) : value
  return replaced(own, () =>
    Object.fromEntries(Object.entries(own).map(([key, item]) => [key, writtenFor(provider, item)])),
  )
}

/** What was spread beside the filter stays. */
function rewritten(filter: Filter, write: (provider: Provider) => object, provider: Provider): Filter {
  const other = provider === 'sqlite' ? 'postgres' : 'sqlite'
  const others = new Set(Object.keys(write(other)))
  const rest = Object.entries(filter).filter(([key]) => !others.has(key))
  return { ...Object.fromEntries(rest), ...write(provider) }
}

/** The value itself where nothing in it has changed: what is not plain, such as a class's instance, keeps its identity. */
function replaced<Value extends object>(value: Value, make: () => Value): Value {
  const made = make() as Filter
  const before = value as Filter
  return Object.keys(made).some((key) => made[key] !== before[key]) ? (made as Value) : value
}

function isPlain(value: unknown): value is Filter {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
