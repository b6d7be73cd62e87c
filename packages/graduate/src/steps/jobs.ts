import type { PostgresTarget } from '../target/postgres/postgres-target.ts'

/** One piece of work for one connection. */
export interface Job {
  name: string
  /** Jobs that must be done first. */
  after: Job[]
  /** Sends rows, which keeps this process busy; everything else keeps the server busy. */
  loads?: boolean
  run(target: PostgresTarget): Promise<void>
}

/**
 * Runs jobs in their order of readiness, one at a time on each connection. The first failure ends the other connections.
 * @param builders connections that never load, so that the server builds while this process encodes
 */
export async function runJobs(
  jobs: Job[],
  loaders: readonly PostgresTarget[],
  builders: readonly PostgresTarget[] = [],
): Promise<void> {
  const waiting = [...jobs]
  const done = new Set<Job>()
  let running = 0
  let failure: { error: unknown } | undefined
  let wake: (() => void)[] = []
  const notify = () => {
    const sleepers = wake
    wake = []
    for (const resume of sleepers) resume()
  }
  const isReady = (job: Job) => job.after.every((needed) => done.has(needed))
  const work = async (target: PostgresTarget, builds: boolean) => {
    const fits = (job: Job) => !(builds && job.loads)
    for (;;) {
      if (failure || !waiting.some(fits)) return
      const at = waiting.findIndex((job) => fits(job) && isReady(job))
      if (at < 0) {
        if (running === 0 && !waiting.some(isReady))
          throw new Error(`jobs wait for each other: ${waiting.map(({ name }) => name).join()}`)
        await new Promise<void>((resume) => wake.push(resume))
        continue
      }
      const [job] = waiting.splice(at, 1) as [Job]
      running++
      try {
        await job.run(target)
        done.add(job)
      } catch (error) {
        failure ??= { error }
        // The others may be in the midst of a long statement, which nobody waits for any more.
        for (const other of [...loaders, ...builders])
          if (other !== target) void other.client.end().catch(() => {})
      } finally {
        running--
        notify()
      }
    }
  }
  await Promise.all([
    ...loaders.map((target) => work(target, false)),
    ...builders.map((target) => work(target, true)),
  ])
  if (failure) throw failure.error
}
