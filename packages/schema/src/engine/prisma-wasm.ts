import { Failure, messageOf } from '@outgrow/kit'
import { engineText } from './engine-text.ts'
import { wasm } from './wasm.ts'

/** One schema file: its path (for messages) and its text. */
export type SchemaFile = [path: string, text: string]

export interface DmmfField {
  name: string
  dbName?: string | null
  kind: 'scalar' | 'object' | 'enum' | 'unsupported'
  type: string
  isList: boolean
  isRequired: boolean
  isUnique: boolean
  isId: boolean
  hasDefaultValue: boolean
  relationName?: string
  relationFromFields?: string[]
  relationToFields?: string[]
  relationOnDelete?: string
  relationOnUpdate?: string
  isUpdatedAt?: boolean
  nativeType?: [string, string[]] | null
}

export interface DmmfModel {
  name: string
  dbName: string | null
  schema: string | null
  fields: DmmfField[]
  primaryKey: { name: string | null; fields: string[] } | null
  uniqueFields: string[][]
  /** Unique keys with the client's names. */
  uniqueIndexes: { name: string | null; fields: string[] }[]
}

interface DmmfEnum {
  name: string
  dbName: string | null
  values: { name: string; dbName: string | null }[]
}

export interface Dmmf {
  datamodel: { enums: DmmfEnum[]; models: DmmfModel[]; types: DmmfModel[] }
}

/**
 * Prisma's own validator.
 * @throws Failure OUTGROW_SCHEMA_INVALID with Prisma's words
 */
export function validatePrismaSchema(files: SchemaFile[]): void {
  asked(files, (parameters) => wasm().validate(parameters))
}

/**
 * The datamodel as Prisma's client generator sees it.
 * @throws Failure OUTGROW_SCHEMA_INVALID with Prisma's words
 */
export function readDmmf(files: SchemaFile[]): Dmmf {
  const datamodel = asked(files, (parameters) => wasm().get_datamodel(parameters))
  return { datamodel: JSON.parse(datamodel) as Dmmf['datamodel'] }
}

function asked<Answer>(files: SchemaFile[], ask: (parameters: string) => Answer): Answer {
  const prismaSchema = files.map(([path, text]): SchemaFile => [path, engineText(path, text)])
  try {
    return ask(JSON.stringify({ prismaSchema, noColor: true }))
  } catch (error) {
    throw new Failure({
      code: 'OUTGROW_SCHEMA_INVALID',
      message: `Prisma rejects the schema. ${validatorMessage(error)}`,
      fix: 'Correct the lines named above.',
    })
  }
}

/** Prisma's own formatter. */
export function formatPrismaSchema(text: string): string {
  const result = wasm().format(
    JSON.stringify([['schema.prisma', text]]),
    JSON.stringify({
      textDocument: { uri: 'file:/schema.prisma' },
      options: { tabSize: 2, insertSpaces: true },
    }),
  )
  return (JSON.parse(result) as SchemaFile[])[0]?.[1] ?? text
}

function validatorMessage(error: unknown): string {
  const text = messageOf(error)
  try {
    return (JSON.parse(text) as { message: string }).message
  } catch {
    return text
  }
}
