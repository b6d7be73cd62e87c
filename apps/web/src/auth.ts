import { prismaAdapter } from '@better-auth/prisma-adapter'
import type { Database } from '@outgrow/db'
import { betterAuth } from 'better-auth'
import { product } from './product.ts'

/** The header in which the application tells the library who is connected; browsers cannot set it. */
export const addressHeader = 'x-connected-address'

/** Sign-up and sign-in with e-mail and password; sessions and attempts are rows of the one database. */
export function createAuth(database: Database, { secret, appUrl }: { secret: string; appUrl: string }) {
  return betterAuth({
    appName: product.name,
    secret,
    baseURL: appUrl,
    basePath: '/auth',
    // Asked for with each query: the application may move to the other database while it runs.
    database: prismaAdapter(database.client, {
      get provider() {
        return database.provider === 'postgres' ? 'postgresql' : 'sqlite'
      },
    }),
    emailAndPassword: { enabled: true, minPasswordLength: 10, maxPasswordLength: 128 },
    session: { modelName: 'session', expiresIn: 60 * 60 * 24 * 30 },
    account: { modelName: 'credential' },
    verification: { modelName: 'verification' },
    rateLimit: {
      enabled: true,
      storage: 'database',
      modelName: 'rateLimit',
      customRules: {
        '/sign-in/email': { window: 60, max: 5 },
        '/sign-up/email': { window: 60, max: 10 },
      },
    },
    telemetry: { enabled: false },
    advanced: {
      cookiePrefix: product.slug,
      ipAddress: { ipAddressHeaders: [addressHeader] },
      database: { generateId: false },
    },
    logger: { disabled: true },
  })
}

export type Auth = ReturnType<typeof createAuth>
