import type { BillingPolicy, PlanConfig, PrismaStoreOptions } from '@outgrow/billing'
import type { GeneratedClients, PrismaClientShape } from '@outgrow/client'

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
  }
}

/** Types `outgrow.config.ts`: models are named as the project's own client names them. */
export function defineConfig<Client extends PrismaClientShape>(
  config: ProjectConfig<Client>,
): ProjectConfig<Client> {
  return config
}
