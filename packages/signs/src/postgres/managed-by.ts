import { notesFor, otherHosts, providerOf, type Endpoint, type Fact } from '@outgrow/databases'

/** The provider of a database, by its host, and what its documentation says of it. */
export interface ManagedBy {
  name: string
  title: string
  pool: Endpoint['pool']
  /** Other hosts of the same database: `direct: host:port`, `pooled: host:port`. */
  hosts: string[]
  notes: Fact[]
}

/** Null for a server of one's own, and for any provider that is not known. */
export function examineProvider(url: string, sizeBytes: number): ManagedBy | null {
  const managed = providerOf(url)
  if (!managed) return null
  const { provider, endpoint } = managed
  return {
    name: provider.name,
    title: provider.title,
    pool: endpoint.pool,
    hosts: otherHosts(url),
    notes: notesFor(url, 'doctor', sizeBytes),
  }
}
