import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['internal/packed/**/*.test.ts', 'internal/image/**/*.test.ts'],
    globalSetup: ['packages/testing/src/postgres-server.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxWorkers: 1,
  },
})
