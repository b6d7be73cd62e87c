import type { Socket } from 'node:net'
import type { ReplicaMonitor } from '@outgrow/databases'
import { postgresFactory } from '../adapters.ts'
import { makeClient } from '../opened-client.ts'
import { inTime } from './in-time.ts'
import type { OpenReplicasOptions } from './open-replicas.ts'
import type { OpenedReplica } from './replica-reads.ts'

/** How long reads that are under way may take to end when a client is closed. */
const endMs = 2000

/**
 * A client whose connections lead to the server that a monitor watches.
 * @throws Failure OUTGROW_TIMEZONE, OUTGROW_POSTGRES_UNREACHABLE
 */
export async function openReplica(
  { url, verify }: ReplicaMonitor,
  { options, state, PrismaClient }: Pick<OpenReplicasOptions, 'options' | 'state' | 'PrismaClient'>,
): Promise<OpenedReplica> {
  const sockets = new Set<Socket>()
  const adapter = await postgresFactory(url, state, {
    verify: async (client) => {
      const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
      sockets.add(stream)
      stream.once('close', () => sockets.delete(stream))
      await verify(client)
    },
  })
  const opened = makeClient('postgres', PrismaClient, { ...options.client, adapter })
  await opened.client.$connect()
  return {
    ...opened,
    close: async () => {
      try {
        await inTime(opened.client.$disconnect(), endMs)
      } catch {
        // TCP would wait for a host that has vanished for a quarter of an hour.
        for (const socket of sockets) socket.destroy()
      }
    },
  }
}
