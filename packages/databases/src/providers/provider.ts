/** What a URL names, without its secrets. */
export interface Address {
  /** Host name, IP address, or the folder of a socket; in lower case. */
  host: string
  port: number
  user: string
}

/** What a host leads to. */
export interface Endpoint {
  /** What stands between: in transaction mode, every transaction may get another session. */
  pool: 'none' | 'session' | 'transaction' | 'unknown'
  /** Only reachable from inside the provider's network. */
  isPrivate?: boolean
  /** It has no IPv4 address, unless one was bought. */
  isIpv6Only?: boolean
}

/** What a provider's documentation says. */
export interface Fact {
  text: string
  /** Where its documentation says it; of an unconfirmed one, where to look. */
  source: string
  /** The documentation was not found to say it; other places do. */
  isUnconfirmed?: boolean
}

export const fact = (text: string, source: string): Fact => ({ text, source })
export const unconfirmed = (text: string, source: string): Fact => ({ text, source, isUnconfirmed: true })

/** One provider of Postgres: data, and pure functions of an address. Adding one: docs/extending.md. */
export interface Provider {
  name: string
  title: string
  /** How its hosts are called. */
  hosts: Fact
  /** One address of each kind, for the docs and the tests; never a real database. */
  examples: readonly { url: string; endpoint: Endpoint; direct?: string; pooled?: string }[]
  /** Undefined where the address is not this provider's. */
  endpointOf(address: Address): Endpoint | undefined
  /** The same database without a pooler, or by a pooler whose sessions last; only what differs. */
  directOf?(address: Address): Partial<Address> | undefined
  /** The same database through the pooler for applications; only what differs. */
  pooledOf?(address: Address): Partial<Address> | undefined
  /** Where the direct URL is to be had when it cannot be derived. */
  whereDirect?: string
  /** Where the public URL is to be had when the host is private. */
  wherePublic?: string
  /** `sslrootcert` for `sslmode=verify-full`. */
  roots: 'system' | 'file' | 'unknown'
  tls?: Fact
  pooling?: Fact
  network?: Fact
  role?: Fact
  limits?: Fact
  backups?: Fact
  /** What the free plan holds, where there is such a plan. */
  free?: { sizeBytes: number; fact: Fact }
  /** It sleeps while nobody asks, and wakes up by itself: the first connection may take a moment, or fail. */
  sleeps?: Fact
  /** It is stopped while nobody asks, and somebody has to start it again. */
  pauses?: Fact
  /** Why this product does not work on it. */
  unsupported?: Fact
}
