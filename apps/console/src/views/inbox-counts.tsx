import type { BillingStatus } from '@outgrow/billing'

/** The inbox and the outbox in numbers; each leads to its events. */
export function InboxCounts({ status }: { status: BillingStatus }) {
  const { events, outbox } = status
  return (
    <ul id="inbox" class="counts">
      {Object.entries(events).map(([name, count]) => (
        <li class={name === 'DEAD' && count > 0 ? 'bad' : ''}>
          <a href={`/webhooks?status=${name}`}>
            <b>{count.toLocaleString('en-US')}</b> {name.toLowerCase()}
          </a>
        </li>
      ))}
      <li>
        <b>{outbox.waiting.toLocaleString('en-US')}</b> messages waiting
      </li>
      <li class={outbox.dead > 0 ? 'bad' : ''}>
        <a href="/webhooks">
          <b>{outbox.dead.toLocaleString('en-US')}</b> messages abandoned
        </a>
      </li>
    </ul>
  )
}
