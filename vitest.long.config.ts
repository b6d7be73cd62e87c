import { defineConfig } from 'vitest/config'

/** What takes an hour and much of a disk. */
export default defineConfig({
  test: {
    include: ['internal/large/**/*.test.ts'],
    testTimeout: 10_800_000,
    hookTimeout: 10_800_000,
    maxWorkers: 1,
  },
})
