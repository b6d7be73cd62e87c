import { connectionLimit, parsePostgresUrl, readTargetIdentity, type SqliteUrl } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { lockTimeoutMs, newAdapterState, postgresFactory, sqliteFactory } from './adapters.ts'
import { clientHandle } from './client-handle.ts'
import type { Database, Listener } from './database.ts'
import { directUrlOr } from './direct-url.ts'
import { Follower } from './follower.ts'
import { listenTo } from './listen.ts'
import { makeClient, type MakeClient, type OpenedClient } from './opened-client.ts'
import type { DatabaseOptions } from './open-database.ts'
import type { PrismaClientShape } from './prisma-client.ts'
import { anyTable, countRequests, guardRequests, isAloneInProcess, listen } from './prisma-internals.ts'
import { openReplicas, type OpenReplicasOptions, type Replicas } from './replicas/open-replicas.ts'
import { followRequests } from './requests.ts'
import { Batches, replaceTransaction, Transactions } from './transactions.ts'
import { waitingForLock } from './waiting-for-lock.ts'

/** Opens a file, or the Postgres that its application has graduated to, and follows wherever the rows go. */
export async function openFollowing<Client extends PrismaClientShape>(
  url: SqliteUrl,
  classes: { sqlite: MakeClient<Client>; postgres: () => Promise<MakeClient<Client>> },
  options: DatabaseOptions,
): Promise<Database<Client>> {
  const state = newAdapterState()
  const { scope, counters } = state
  const transactions = new Transactions()
  const batches = new Batches()
  const given = waitingForLock(url, options.client)
  const postgresUrl = () => options.postgresUrl ?? process.env.POSTGRES_URL ?? ''

  const urlNow = () => {
    const path = url.path.replaceAll('%', '%25').replaceAll('?', '%3F')
    return follower.provider === 'sqlite' ? `file:${path}` : postgresUrl()
  }

  let first: OpenedClient | undefined
  let replicas: Replicas | undefined
  const replicaListeners = new Set<Listener<'replica'>>()
  const usesOfReplicas: ((client: PrismaClientShape) => void)[] = []
  /** Once, however often Postgres is opened. */
  const openReplicasOnce = (given: OpenReplicasOptions): Replicas => {
    if (replicas) return replicas
    replicas = openReplicas(given)
    replicas.onChanged((status) => replicaListeners.forEach((listener) => listener(status)))
    for (const use of usesOfReplicas) replicas.onEachClient(use)
    return replicas
  }
  const following = async (opened: OpenedClient<Client>): Promise<OpenedClient<Client>> => {
    replaceTransaction(opened, scope, transactions, { route: follower, batches })
    followRequests(opened, scope, batches, follower)
    guardRequests(opened.client, scope)
    countRequests(opened.client, counters)
    await opened.client.$connect()
    first ??= opened
    return opened
  }
  const refuseSecond = () => {
    if (first && isAloneInProcess(first.client)) throw tooOld()
  }
  const follower = new Follower<Client>({
    path: url.path,
    scope,
    lockTimeoutMs: lockTimeoutMs(url.parameters),
    open: {
      sqlite: async () => {
        refuseSecond()
        const adapter = sqliteFactory(url, state, (database) => follower.lookInSqlite(database))
        return following(makeClient('sqlite', classes.sqlite, { ...given, adapter }))
      },
      postgres: async () => {
        refuseSecond()
        const target = parsePostgresUrl(named(postgresUrl()))
        const identity = await readTargetIdentity(target)
        const connections = connectionLimit(target)
        let table = ''
        const adapter = await postgresFactory(target, state, {
          afterBegin: (query) => follower.lookInPostgres(query, table),
        })
        const PrismaClient = await classes.postgres()
        const opened = makeClient('postgres', PrismaClient, { ...given, adapter }, { identity, connections })
        table = anyTable(opened.client, target.schema)
        const isStill = (epoch: number) => follower.isStill(epoch)
        const gate = { epoch: () => follower.here().epoch, isStill }
        const spreading = openReplicasOnce({ primary: target, options, state, PrismaClient, gate })
        return following(spreading.spread(opened))
      },
    },
  })
  await follower.start()
  const client = clientHandle(() => follower.client, {
    $on: (...args: [never, never]) => {
      const use = (one: PrismaClientShape) => listen(one, args)
      follower.onEachClient(use)
      usesOfReplicas.push(use)
      replicas?.onEachClient(use)
    },
  })
  const database: Database<Client> = {
    client,
    get provider() {
      return follower.provider
    },
    get url() {
      return urlNow()
    },
    get directUrl() {
      return follower.provider === 'sqlite' ? urlNow() : directUrlOr(postgresUrl(), options)
    },
    listen: (channel, onNotified) => listenTo(database, channel, onNotified),
    perProvider: async (make) => {
      scope.refuseInside()
      for (;;) {
        const place = follower.here()
        const { provider } = place
        const operation = { provider, answered: 0 }
        try {
          return await scope.pin(operation, async () => await make({ provider, client }))
        } catch (error) {
          if (operation.answered > 0 || !(await follower.hasMoved(place, error))) throw error
        }
      }
    },
    on: (event, listener) => {
      if (event === 'switched') return follower.onSwitched(listener as Listener<'switched'>)
      replicaListeners.add(listener as Listener<'replica'>)
      return () => replicaListeners.delete(listener as Listener<'replica'>)
    },
    after: async (token, work) => (replicas ? replicas.after(token, work) : await work()),
    position: async () => (follower.provider === 'postgres' ? replicas?.position() : undefined),
    counters: () => structuredClone(counters),
    close: async () => {
      // Disconnecting would roll open transactions back.
      await transactions.drained()
      await replicas?.close()
      await follower.close()
    },
  }
  return database
}

/** @throws Failure OUTGROW_AUTHORITY_URL */
function named(postgresUrl: string): string {
  if (postgresUrl.trim() !== '') return postgresUrl
  throw new Failure({
    code: 'OUTGROW_AUTHORITY_URL',
    message: 'The application graduates to Postgres, and POSTGRES_URL is not set in this process.',
    why: 'The file only names the database that has the rows, or will have them. Its URL holds secrets, and is not kept there.',
    fix: 'Set POSTGRES_URL to the database that outgrow graduate was given, and start the process again.',
  })
}

function tooOld(): Failure {
  return new Failure({
    code: 'OUTGROW_CLIENT_UNSUPPORTED',
    message: 'A client of Prisma 6 cannot follow a live graduation.',
    why: 'The clients of version 6 share their query compiler: one process opens databases of one kind only.',
    fix: 'Move to Prisma 7, or stop the application while it graduates.',
  })
}
