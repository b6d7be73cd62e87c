/** Currencies that Stripe counts in hundredths, whatever ISO 4217 says of them by now. */
const countedInHundredths = new Set(['isk', 'ugx', 'huf', 'twd'])

/** An amount in the currency’s smallest unit, as Stripe has it, in words. */
export function money(amount: number, currency: string): string {
  const format = (options?: Intl.NumberFormatOptions) =>
    new Intl.NumberFormat('en-US', { style: 'currency', currency: currency.toUpperCase(), ...options })
  const digits = countedInHundredths.has(currency)
    ? 2
    : (format().resolvedOptions().maximumFractionDigits ?? 2)
  const value = amount / 10 ** digits
  return format(
    Number.isInteger(value) ? { minimumFractionDigits: 0 } : { minimumFractionDigits: digits },
  ).format(value)
}

/** 2026-11-26 */
export function day(date: Date | null | undefined): string {
  return date?.toISOString().slice(0, 10) ?? 'soon'
}
