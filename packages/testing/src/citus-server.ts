import type { TestProject } from 'vitest/node'
import { citusUrl, readCitus } from './citus.ts'

/** Lets tests run in schemas of the cluster that `OUTGROW_CITUS_URL` names, in place of databases of an own server. */
export default async function setup(project: TestProject): Promise<void> {
  if (citusUrl === undefined) throw new Error('Set OUTGROW_CITUS_URL to the coordinator of a Citus cluster.')
  const { citus, postgres, workers } = await readCitus(citusUrl)
  console.log(`Citus ${citus} on PostgreSQL ${postgres}, ${workers} workers`)
  project.provide('postgresUrl', citusUrl)
}
