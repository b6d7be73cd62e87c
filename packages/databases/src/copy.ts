import type { Readable, Writable } from 'node:stream'
import { from, to } from 'pg-copy-streams'
import type { PostgresClient } from './postgres.ts'

/** A stream into `COPY … FROM STDIN`. */
export function copyIn(client: PostgresClient, sql: string): Writable {
  return client.query(from(sql))
}

/** A stream out of `COPY … TO STDOUT`. */
export function copyOut(client: PostgresClient, sql: string): Readable {
  return client.query(to(sql))
}
