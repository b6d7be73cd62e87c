import { makeDatabase, type TestDatabase } from '@outgrow/testing'
import { schemaSourceOf, type SchemaSource } from '@outgrow/schema'
import { inject } from 'vitest'
import {
  MoveStopped,
  migrate,
  verify,
  type MigrateRequest,
  type MoveOptions,
  type MoveResult,
  type Verification,
} from '../src/index.ts'
import { dirname } from 'node:path'

export const plainOptions: MoveOptions = {
  rules: new Set(),
  onBadValue: 'stop',
  skipTables: new Set(),
  skipColumns: new Set(),
  skipObjects: new Set(),
  casts: new Map(),
}

export const sqliteSchema = (models: string): string => `datasource db {
  provider = "sqlite"
}

${models}`

export const postgresSchema = (models: string): string =>
  sqliteSchema(models).replace('"sqlite"', '"postgresql"')

/** An empty target for one test. */
export function emptyTarget(): Promise<TestDatabase> {
  return makeDatabase(inject('postgresUrl'))
}

/** Moves a file with a schema text; the baseline files go beside the source file. */
export function move(
  from: string,
  to: string,
  schema: string | SchemaSource,
  options: Partial<MoveOptions> = {},
  more: Partial<MigrateRequest> = {},
): Promise<MoveResult> {
  return migrate({
    from,
    to,
    schema: typeof schema === 'string' ? schemaSourceOf(schema, dirname(from)) : schema,
    options: { ...plainOptions, ...options },
    unfinished: 'refuse',
    writesHistory: true,
    progress: () => {},
    onStep: () => {},
    signal: new AbortController().signal,
    ...more,
  })
}

/** Compares both sides as `outgrow verify` does. */
export function verifyMove(
  from: string,
  to: string,
  schema: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<Verification> {
  return verify({
    from,
    to,
    schema: schemaSourceOf(schema, dirname(from)),
    options: plainOptions,
    progress: () => {},
    signal,
  })
}

/** What a move that must stop over bad values found. */
export async function findingsOf(moving: Promise<MoveResult>): Promise<MoveResult['findings']> {
  try {
    await moving
  } catch (error) {
    if (error instanceof MoveStopped) return error.result.findings
    throw error
  }
  throw new Error('the move was expected to stop')
}
