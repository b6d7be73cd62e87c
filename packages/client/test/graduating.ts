import { sampleClients, type PrismaClient, type SampleDatabase } from '@outgrow/sample'
import { LiveGraduation } from '@outgrow/testing'
import { inject } from 'vitest'
import { openDatabase, type DatabaseOptions } from '../src/index.ts'

/** A file and a target with the sample's tables. */
export function makeGraduation(): Promise<LiveGraduation> {
  return LiveGraduation.make(inject('postgresUrl'))
}

/** Opens the file of a graduation, which leads to its target. */
export function openGraduating(
  { url, postgresUrl }: LiveGraduation,
  options: DatabaseOptions = {},
): Promise<SampleDatabase> {
  return openDatabase<PrismaClient>(sampleClients, url, { postgresUrl, ...options })
}
