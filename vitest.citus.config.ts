import { defineConfig } from 'vitest/config'

/** What must work in a schema of a Citus cluster: the client's contract, billing, and the move. */
export default defineConfig({
  test: {
    include: [
      'packages/client/test/contract.test.ts',
      'packages/billing/test/{changes,fence,inbox,traps}.test.ts',
      'internal/citus/*.test.ts',
    ],
    globalSetup: ['packages/testing/src/citus-server.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: 1,
  },
})
