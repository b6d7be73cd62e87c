import { adoptInbox, type AdoptOptions, type Adoption, type AdoptRequest } from '@outgrow/billing/adopt'
import { connectSql, openSqlite, withPostgres } from '@outgrow/databases'
import { makeDatabase, makeSqlite, temporaryFolder } from '@outgrow/testing'
import { inject } from 'vitest'
import { planInDatabase } from '../src/billing/adopt-into-database.ts'
import {
  adoptIntoProject,
  type AdoptingProject,
  type ProjectAdoption,
} from '../src/billing/adopt-into-project.ts'

export type Provider = 'sqlite' | 'postgres'

const yesValues = ['1', 'true', 't', 'yes', 'done', 'processed']

/** A database of an application that knows nothing of Outgrow. */
export interface Application {
  url: string
  rows(sql: string): Promise<Record<string, unknown>[]>
  drop(): Promise<void>
}

export async function application(provider: Provider, sql: string): Promise<Application> {
  if (provider === 'sqlite') {
    const path = makeSqlite(sql)
    return {
      url: `file:${path}`,
      rows: (query) => {
        const file = openSqlite(path)
        try {
          const statement = file.prepare(query)
          if (statement.reader) return Promise.resolve(statement.all() as Record<string, unknown>[])
          statement.run()
          return Promise.resolve([])
        } catch (error) {
          return Promise.reject(error)
        } finally {
          file.close()
        }
      },
      drop: () => Promise.resolve(),
    }
  }
  const target = await makeDatabase(inject('postgresUrl'))
  await withPostgres(target.url, (client) => client.query(sql))
  return { url: target.url, rows: (query) => target.query(query), drop: () => target.drop() }
}

/** Adopts without the command line. */
export async function adoptFrom(
  { url }: Pick<Application, 'url'>,
  request: Partial<AdoptRequest>,
  options: Partial<AdoptOptions> = {},
): Promise<Adoption> {
  const connection = await connectSql(url)
  try {
    const planned = await planInDatabase(connection, 'Billing')
    return await adoptInbox(
      connection,
      { columns: {}, yesValues, ...request },
      { ...planned, dryRun: false, ...options },
    )
  } finally {
    await connection.close()
  }
}

/** Adopts into a project, as the command does. */
export function adoptInto(
  { url }: Pick<Application, 'url'>,
  project: Partial<AdoptingProject>,
  request: Partial<AdoptRequest> = {},
  dryRun = false,
): Promise<ProjectAdoption> {
  return adoptIntoProject(
    { databaseUrl: url, schema: undefined, account: undefined, prefix: 'Billing', ...project },
    { columns: {}, yesValues, ...request },
    {
      dryRun,
      scratch: { server: inject('postgresUrl'), directory: temporaryFolder() },
      signal: new AbortController().signal,
      onProgress: () => {},
    },
  )
}

/** An event's JSON. */
export function eventText(id: string, more: object = {}): string {
  return JSON.stringify({
    id,
    object: 'event',
    type: 'invoice.paid',
    api_version: '2025-03-31.basil',
    created: 1_700_000_000,
    livemode: true,
    data: { object: { id: 'in_1', object: 'invoice', customer: 'cus_1' } },
    ...more,
  })
}

/** As a literal of SQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
