import { sampleClients, type PrismaClient, type SampleDatabase } from '@outgrow/sample'
import { makeSampleDatabase, startReplication, until, type Replication, type Standby } from '@outgrow/testing'
import { withPostgres, type ReplicaCounters, type ReplicaStatus } from '@outgrow/databases'
import { openDatabase, type DatabaseOptions } from '../src/index.ts'

/** The sample's tables on a primary and its standbys, and what tests ask of them. */
export class Replicated {
  readonly url: string
  readonly standbys: readonly Standby[]
  readonly #replication: Replication
  readonly #opened: SampleDatabase[] = []

  static async start(standbys: number): Promise<Replicated> {
    const replication = await startReplication(standbys)
    const { url } = await makeSampleDatabase('postgres', replication.url)
    return new Replicated(replication, url)
  }

  private constructor(replication: Replication, url: string) {
    this.#replication = replication
    this.url = url
    this.standbys = replication.standbys
  }

  get standby(): Standby {
    const [standby] = this.standbys
    if (!standby) throw new Error('there is no standby')
    return standby
  }

  /** The same database on a standby. */
  urlOn(standby: Standby): string {
    const url = new URL(standby.url)
    url.pathname = new URL(this.url).pathname
    return url.href
  }

  async open(options: DatabaseOptions = {}, url = this.url): Promise<SampleDatabase> {
    const database = await openDatabase<PrismaClient>(sampleClients, url, {
      replicas: [this.urlOn(this.standby)],
      replicaLimits: { maxWaitMs: 5000 },
      ...options,
    })
    this.#opened.push(database)
    return database
  }

  async openInUse(options: DatabaseOptions = {}, url = this.url): Promise<SampleDatabase> {
    const database = await this.open(options, url)
    await until(() => replica(database).isInUse)
    return database
  }

  async onPrimary(...statements: string[]): Promise<void> {
    await withPostgres(this.url, async (client) => {
      for (const statement of statements) await client.query(statement)
    })
  }

  /** Waits until a standby has what the primary has now. */
  async caughtUp(standby = this.standby): Promise<void> {
    const lsn = await withPostgres(this.url, async (client) => {
      const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn() AS lsn')
      return rows[0]?.lsn
    })
    await until(async () => {
      const [row] = await standby.query(`SELECT pg_last_wal_replay_lsn() >= '${lsn}' AS has`)
      return row?.has === true
    })
  }

  /** Runs `use` with another setting of the standby. */
  async configured(setting: string, use: () => Promise<void>): Promise<void> {
    await this.standby.query(`ALTER SYSTEM SET ${setting}`)
    await this.standby.query('SELECT pg_reload_conf()')
    try {
      await use()
    } finally {
      await this.standby.query(`ALTER SYSTEM RESET ${setting.split(' ')[0]}`)
      await this.standby.query('SELECT pg_reload_conf()')
    }
  }

  /** Stops replaying while `use` runs. */
  async paused(use: () => Promise<void>): Promise<void> {
    const { standby } = this
    await standby.query('SELECT pg_wal_replay_pause()')
    try {
      await until(async () => {
        const [row] = await standby.query('SELECT pg_get_wal_replay_pause_state() AS state')
        return row?.state === 'paused'
      })
      await use()
    } finally {
      await standby.query('SELECT pg_wal_replay_resume()')
    }
  }

  async closeOpened(): Promise<void> {
    for (const database of this.#opened.splice(0)) await database.close()
  }

  close(): Promise<void> {
    return this.#replication.close()
  }
}

export function counters(database: SampleDatabase): ReplicaCounters {
  const { replicas } = database.counters()
  if (!replicas) throw new Error('there are no counters of replicas')
  return replicas
}

export function replica(database: SampleDatabase): ReplicaStatus {
  const [status] = counters(database).servers
  if (!status) throw new Error('there is no replica')
  return status
}

/** Asks without a pause, and gathers answers and errors. */
export function askOnAndOn<Answer>(ask: () => Promise<Answer>) {
  const asked = { answers: [] as Answer[], errors: [] as string[] }
  const stopping = new AbortController()
  const asking = Promise.all(
    Array.from({ length: 4 }, async () => {
      while (!stopping.signal.aborted) {
        await ask().then(
          (answer) => asked.answers.push(answer),
          (error: unknown) => asked.errors.push(String(error)),
        )
      }
    }),
  )
  return {
    asked,
    stop: async () => {
      stopping.abort()
      await asking
      return asked
    },
    /** That many more answers. */
    more: async (count: number) => {
      const before = asked.answers.length
      await until(() => asked.answers.length >= before + count)
    },
  }
}
