import { defineConfig } from 'outgrow'

export default defineConfig({
  schema: 'billing/prisma/schema.prisma',
  clients: {
    sqlite: () => import('./billing/generated/sqlite/client.ts'),
    postgres: () => import('./billing/generated/postgres/client.ts'),
  },
  billing: { account: { model: 'captain' } },
})
