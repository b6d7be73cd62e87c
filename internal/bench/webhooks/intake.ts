import { median } from '../process-usage.ts'
import { sign, type SignedDelivery } from './deliveries.ts'

export interface Intake {
  perSecond: number
  p50Ms: number
  p99Ms: number
  maxMs: number
  errors: number
}

interface Receiver<Arrival> {
  clear(): Promise<unknown>
  /** A delivery as the server for HTTP hands it over, which is not measured. */
  arrive(delivery: SignedDelivery): Arrival
  /** Resolves to whether it was taken. */
  answer(arrival: Arrival): Promise<boolean>
}

/** The medians of several bursts; the first one warms up. */
export async function measureIntake<Arrival>(
  bodies: readonly { body: string }[],
  rounds: number,
  receiver: Receiver<Arrival>,
): Promise<Intake> {
  const intakes: Intake[] = []
  for (let round = 0; round <= rounds; round++) {
    await receiver.clear()
    // Anew each time: a signature is good for five minutes.
    const signed = await sign(bodies)
    const intake = await burst(signed.map(receiver.arrive), receiver.answer)
    if (round > 0) intakes.push(intake)
  }
  const of = (pick: (intake: Intake) => number) => median(intakes.map(pick))
  return {
    perSecond: of((i) => i.perSecond),
    p50Ms: of((i) => i.p50Ms),
    p99Ms: of((i) => i.p99Ms),
    maxMs: of((i) => i.maxMs),
    errors: of((i) => i.errors),
  }
}

/** 64 at a time. */
async function burst<Arrival>(
  deliveries: readonly Arrival[],
  answer: (arrival: Arrival) => Promise<boolean>,
): Promise<Intake> {
  const queue = [...deliveries]
  const times: number[] = []
  let errors = 0
  const started = performance.now()
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
        const at = performance.now()
        if (!(await answer(next))) errors++
        times.push(performance.now() - at)
      }
    }),
  )
  const ms = performance.now() - started
  const sorted = times.toSorted((a, b) => a - b)
  const share = (part: number) => sorted[Math.floor(sorted.length * part)] ?? 0
  return {
    perSecond: (deliveries.length / ms) * 1000,
    p50Ms: share(0.5),
    p99Ms: share(0.99),
    maxMs: sorted.at(-1) ?? 0,
    errors,
  }
}
