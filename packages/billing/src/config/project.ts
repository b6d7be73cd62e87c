import type { PlanConfig } from './plans.ts'
import type { BillingPolicy } from './policy.ts'
import type { ModelName, PrismaLike } from '../prisma/client.ts'
import type { PrismaStoreOptions } from '../prisma/prisma-store.ts'

/** A generated client, loaded only when its database is opened. */
type ClientModule<Client> = () => Promise<{ PrismaClient: new (options: never) => Client }>

/** What the command line needs to know of a project: `outgrow.config.ts` in its folder. */
export interface ProjectConfig<Client extends PrismaLike = PrismaLike> {
  /** The source schema; `prisma/schema.prisma` by default. */
  schema?: string
  /** The type is that of the SQLite client on both. */
  clients: { sqlite: ClientModule<Client>; postgres: ClientModule<PrismaLike> }
  billing?: PrismaStoreOptions<Client> & {
    /** A function where prices come from the environment. */
    plans?: PlanConfig | (() => PlanConfig)
    policy?: BillingPolicy
  }
}

/** Types `outgrow.config.ts`: models are names of the project's own client. */
export function defineConfig<Client extends PrismaLike>(
  config: ProjectConfig<Client>,
): ProjectConfig<Client> {
  return config
}

export type { ModelName }
