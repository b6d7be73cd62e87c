import type { PostgresClient } from '@outgrow/databases'

/** One piece of work for one connection. */
export interface Job {
  name: string
  /** Jobs that must be done first. */
  after: Job[]
  run(client: PostgresClient): Promise<void>
}

/** Runs jobs in their order of readiness, one at a time on each connection. The first failure stops the rest. */
export async function runJobs(jobs: Job[], clients: PostgresClient[]): Promise<void> {
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
  const work = async (client: PostgresClient) => {
    for (;;) {
      if (failure || waiting.length === 0) return
      const at = waiting.findIndex((job) => job.after.every((needed) => done.has(needed)))
      if (at < 0) {
        if (running === 0)
          throw new Error(`jobs wait for each other: ${waiting.map(({ name }) => name).join()}`)
        await new Promise<void>((resume) => wake.push(resume))
        continue
      }
      const [job] = waiting.splice(at, 1) as [Job]
      running++
      try {
        await job.run(client)
        done.add(job)
      } catch (error) {
        failure ??= { error }
      } finally {
        running--
        notify()
      }
    }
  }
  await Promise.all(clients.map(work))
  if (failure) throw failure.error
}
