import { Failure } from '@outgrow/kit'

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of `30m`, `24h` or `7d`. @throws Failure OUTGROW_OPTION_INVALID */
export function intervalOf(option: string, text: string): number {
  const [, number, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? []
  if (number !== undefined) return Number(number) * units[unit as keyof typeof units]
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `${option} ${text} is not an interval.`,
    fix: `A number and s, m, h or d, for example ${option} 24h.`,
  })
}
