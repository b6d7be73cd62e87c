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
  if (!holdsFilter(value)) return value
  if (Array.isArray(value)) return value.map((item) => writtenFor(provider, item))
  const filter = value as Filter
  const write = filter[written] as ((provider: Provider) => object) | undefined
  const own = write ? rewritten(filter, write, provider) : filter
  return Object.fromEntries(Object.entries(own).map(([key, item]) => [key, writtenFor(provider, item)]))
}

/** Most arguments hold none, and are left alone, however many rows they bring. */
function holdsFilter(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsFilter)
  if (!isPlain(value)) return false
  if (Object.hasOwn(value, written)) return true
  for (const key in value) if (holdsFilter(value[key])) return true
  return false
}

/** What was spread beside the filter stays. */
function rewritten(filter: Filter, write: (provider: Provider) => object, provider: Provider): Filter {
  const other = provider === 'sqlite' ? 'postgres' : 'sqlite'
  const others = new Set(Object.keys(write(other)))
  const rest = Object.entries(filter).filter(([key]) => !others.has(key))
  return { ...Object.fromEntries(rest), ...write(provider) }
}

function isPlain(value: unknown): value is Filter {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
