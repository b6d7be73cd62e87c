/** What the process' exit status means. */
export const exit = { done: 0, bug: 1, expected: 2, stopped: 3, findings: 4 } as const
