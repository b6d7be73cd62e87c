import { Failure } from '@outgrow/kit'

/** The moment that an option names; without an offset it would be another one on another machine. @throws Failure OUTGROW_OPTION_INVALID */
export function timeOf(option: string, text: string): Date {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text)
    ? new Date(text)
    : undefined
  if (time !== undefined && !Number.isNaN(time.getTime())) return time
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `${option} ${text} is not a time with its offset.`,
    fix: `For example ${option} 2026-12-01T03:00:00Z or ${option} 2026-12-01T03:00:00+01:00.`,
  })
}
