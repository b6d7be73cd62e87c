import { JsonbRefusal } from './refusal.ts'

/** A JSON number as Postgres' `numeric` prints it: no exponent, the written digits behind the point kept. */
export function numericText(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) as RegExpExecArray
  let whole = match[2] as string
  let fraction = match[3] ?? ''
  const exponent = Number(match[4] ?? 0)
  if (Math.abs(exponent) > 100_000)
    throw new JsonbRefusal('contains a number in JSON that is beyond PostgreSQL’s range')
  if (exponent > 0) {
    whole += fraction.slice(0, exponent).padEnd(exponent, '0')
    fraction = fraction.slice(exponent)
  } else if (exponent < 0) {
    const padded = whole.padStart(-exponent + 1, '0')
    fraction = padded.slice(padded.length + exponent) + fraction
    whole = padded.slice(0, padded.length + exponent)
  }
  whole = whole.replace(/^0+(?=\d)/, '')
  if (whole.length > 131072 || fraction.length > 16383) {
    throw new JsonbRefusal('contains a number in JSON that is beyond PostgreSQL’s range')
  }
  const digits = fraction === '' ? whole : `${whole}.${fraction}`
  return match[1] === '-' && /[1-9]/.test(digits) ? `-${digits}` : digits
}
