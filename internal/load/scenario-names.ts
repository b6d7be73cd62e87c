/** What a load can do to a database, and which signs it causes. */
export const scenarioNames = {
  'concurrent-writers':
    'four processes hold transactions open while they wait for something else: lock waits, busy errors, duty',
  'long-reader': 'a read that never ends while another process writes: the WAL grows, without one busy error',
  'checkout-burst':
    'Stripe’s events of many renewals at once, two for each customer within milliseconds: colliding webhooks',
} as const

export type ScenarioName = keyof typeof scenarioNames
