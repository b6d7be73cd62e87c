import type { DriverAdapterFactory, Provider, TargetIdentity } from '@outgrow/databases'
import type { PrismaClientShape } from './prisma-client.ts'
import { assertInternals, executeOf, type Execute } from './prisma-internals.ts'

/** Makes a client over an adapter. */
export type MakeClient<Client> = new (
  options: Record<string, unknown> & { adapter: DriverAdapterFactory },
) => Client

/** Starts a transaction, or a batch, on a client. */
export type Start = (this: unknown, work: unknown, options?: unknown) => Promise<unknown>

/** One client over one database, and what its own methods were before the facade put others in their place. */
export interface OpenedClient<Client extends PrismaClientShape = PrismaClientShape> {
  readonly provider: Provider
  readonly client: Client
  readonly execute: Execute
  readonly start: Start
  /** Which Postgres it is connected to, where that matters. */
  readonly identity?: TargetIdentity | undefined
  /** How many connections its pool may hold. */
  readonly connections?: number | undefined
}

/** @throws Failure OUTGROW_CLIENT_UNSUPPORTED */
export function makeClient<Client extends PrismaClientShape>(
  provider: Provider,
  PrismaClient: MakeClient<Client>,
  options: Record<string, unknown> & { adapter: DriverAdapterFactory },
  target: Pick<OpenedClient, 'identity' | 'connections'> = {},
): OpenedClient<Client> {
  const client = new PrismaClient(options)
  assertInternals(client)
  const start = client.$transaction as unknown as Start
  return { provider, client, execute: executeOf(client), start, ...target }
}
