import { defineConfig } from 'vitest/config'

/** Tests in a real browser, against the apps as they were built. */
export default defineConfig({
  test: {
    include: ['apps/*/browser/**/*.test.ts', 'internal/browser/**/*.test.ts'],
    globalSetup: ['packages/testing/src/postgres-server.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Each test drives a browser and three apps: side by side they would only wait for each other.
    maxWorkers: 1,
  },
})
