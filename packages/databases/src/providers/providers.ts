import { auroraDsql } from './aurora-dsql.ts'
import { azure } from './azure.ts'
import { cloudSql } from './cloud-sql.ts'
import { digitalOcean } from './digital-ocean.ts'
import { fly } from './fly.ts'
import { neon } from './neon.ts'
import { nile } from './nile.ts'
import { planetscale } from './planetscale.ts'
import { prismaPostgres } from './prisma-postgres.ts'
import type { Provider } from './provider.ts'
import { railway } from './railway.ts'
import { rds } from './rds.ts'
import { render } from './render.ts'
import { supabase } from './supabase.ts'
import { xata } from './xata.ts'

/** All that are known, by name. */
export const providers: readonly Provider[] = [
  auroraDsql,
  azure,
  cloudSql,
  digitalOcean,
  fly,
  neon,
  nile,
  planetscale,
  prismaPostgres,
  railway,
  rds,
  render,
  supabase,
  xata,
]
