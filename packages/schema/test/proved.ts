import { withPostgres } from '@outgrow/databases'
import { makeDatabase } from '@outgrow/testing'
import { inject } from 'vitest'
import { proveDialects, schemaSourceOf } from '../src/index.ts'

export const postgres = (body: string, datasource = '') =>
  `datasource db {\n  provider = "postgresql"\n${datasource}}\n\n${body}`
export const sqlite = (body: string) => `datasource db {\n  provider = "sqlite"\n}\n\n${body}`
export const withPreviews = (previews: string, text: string) =>
  `generator c {\n  provider = "prisma-client"\n  output = "./c"\n  previewFeatures = [${previews}]\n}\n\n${text}`

/** Executes both DDLs and returns the rendered texts: what every rewriting must pass. */
export async function proved(text: string) {
  const generated = await proveDialects(schemaSourceOf(text))
  const target = await makeDatabase(inject('postgresUrl'))
  await withPostgres(target.url, (client) => client.query(generated.ddl.postgres))
  await target.drop()
  return generated
}
