import type { BillingPolicy, EventHooks, PlanConfig, PrismaStoreOptions } from '@outgrow/billing'
import type { GeneratedClients, PrismaClientShape, TransactionClient } from '@outgrow/client'

/** What the command line knows of a project: `outgrow.config.ts` in its folder. */
export interface ProjectConfig<Client extends PrismaClientShape = PrismaClientShape> {
  /** The schema's file or folder; `prisma/schema.prisma` by default. */
  schema?: string
  /** The project's generated clients. Their type is that of the SQLite client. Billing's commands need them. */
  clients?: GeneratedClients<Client>
  backup?: {
    /** Where backups are: a folder, or `s3://bucket/prefix`. OUTGROW_BACKUP_TO goes before it. */
    to?: string
  }
  billing?: PrismaStoreOptions<Client> & {
    /** A function where prices come from the environment. */
    plans?: PlanConfig | (() => PlanConfig | Promise<PlanConfig>)
    policy?: Partial<BillingPolicy>
    /** The application's hooks: reconcile and replay leave events to them, or run them. */
    onEvent?: EventHooks<TransactionClient<Client>>
  }
}

/** Types `outgrow.config.ts`: models are named as the project's own client names them. */
export function defineConfig<Client extends PrismaClientShape>(
  config: ProjectConfig<Client>,
): ProjectConfig<Client> {
  return config
}
