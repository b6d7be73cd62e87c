/** What Stripe does not count in hundredths, whatever ISO 4217 says. Source: “Supported currencies” of its documentation. */
const wholeUnits = new Set(
  'bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '), // UGX only looks like one
)
const thousandths = new Set(['bhd', 'jod', 'kwd', 'omr', 'tnd'])

/** An amount in the currency’s smallest unit, as Stripe has it, in words. */
export function money(amount: number, currency: string): string {
  const digits = wholeUnits.has(currency) ? 0 : thousandths.has(currency) ? 3 : 2
  const value = amount / 10 ** digits
  const shown = Number.isInteger(value) ? 0 : digits
  return new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency: currency.toUpperCase(),
    minimumFractionDigits: shown,
    maximumFractionDigits: shown,
  }).format(value)
}

/** 2026-11-26 */
export function day(date: Date | null | undefined): string {
  return date?.toISOString().slice(0, 10) ?? 'soon'
}
