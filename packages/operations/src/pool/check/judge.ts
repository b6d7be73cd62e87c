import { judgeAuth } from './judge-auth.ts'
import { judgeClients } from './judge-clients.ts'
import { judgeConfig } from './judge-config.ts'
import { judgeSizes } from './judge-sizes.ts'
import type { Judgement, PoolReadings } from './pool-readings.ts'

type Judge = (readings: PoolReadings) => Judgement

const judges: Judge[] = [judgeConfig, judgeSizes, judgeClients, judgeAuth]

/** Holds what was read against every known trap. */
export function judgePool(readings: PoolReadings): Judgement {
  const all = judges.map((judge) => judge(readings))
  return { findings: all.flatMap(({ findings }) => findings), unknown: all.flatMap(({ unknown }) => unknown) }
}
