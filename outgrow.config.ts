import { clients } from '@outgrow/db/clients'
import { defineConfig } from 'outgrow'

export default defineConfig({
  schema: 'prisma/schema',
  clients,
  billing: {
    plans: async () => {
      const { plansOf } = await import('./apps/web/src/plans.ts')
      return plansOf({ pro: process.env.PRICE_PRO ?? '', team: process.env.PRICE_TEAM ?? '' })
    },
  },
})
