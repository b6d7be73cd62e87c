import { Failure } from '@outgrow/kit'

/**
 * How long to measure, in milliseconds.
 * @throws Failure OUTGROW_OPTION_INVALID
 */
export function windowOf(text: string): number {
  const seconds = Number(text)
  if (text.trim() !== '' && seconds >= 0.2 && seconds <= 600) return seconds * 1000
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `--window ${text} is not a number of seconds between 0.2 and 600.`,
    fix: 'For example --window 5.',
  })
}
