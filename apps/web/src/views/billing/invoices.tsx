import { stripeLink, type InvoiceSummary } from '@outgrow/billing'
import { day, money } from '../money.ts'

const words: Record<InvoiceSummary['status'], string> = {
  open: 'to be paid',
  paid: 'paid',
  uncollectible: 'not paid',
}

/** The newest invoices, with Stripe’s pages of them. */
export function Invoices({ invoices, apiBase }: { invoices: InvoiceSummary[]; apiBase: string | undefined }) {
  return (
    <section class="card">
      <h2 id="invoices">Invoices</h2>
      {invoices.length === 0 && <p class="quiet">There are none yet.</p>}
      <ul class="invoices" aria-labelledby="invoices">
        {invoices.map(({ id, number, createdAt, total, currency, status, hostedUrl, pdfUrl }) => (
          <li>
            <span>{day(createdAt)}</span>
            <strong>{money(total, currency)}</strong>
            <span>{words[status]}</span>
            <span class="facts">
              <Link url={stripeLink(hostedUrl, apiBase)} label={`Invoice ${number ?? ''}`.trim()} />
              <Link url={stripeLink(pdfUrl, apiBase)} label="PDF" of={number} />
              {status === 'paid' && total > 0 && (
                <Link url={`/billing/receipt/${id}`} label="Receipt" of={number} />
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** A link that says of which invoice it is to whoever hears it alone. */
function Link({ url, label, of }: { url: string | undefined; label: string; of?: string | null }) {
  if (url === undefined) return null
  return (
    <a href={url} rel="noreferrer">
      {label}
      {of !== undefined && of !== null && <span class="hidden"> of invoice {of}</span>}
    </a>
  )
}
