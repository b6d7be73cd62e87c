import { createRequire } from 'node:module'

interface PrismaSchemaWasm {
  validate(parameters: string): void
  get_datamodel(parameters: string): string
  get_config(parameters: string): string
  format(files: string, parameters: string): string
  preview_features(): string
}

const load = createRequire(import.meta.url)
let loaded: PrismaSchemaWasm | undefined

/** Prisma's validator and formatter, loaded once. */
export function wasm(): PrismaSchemaWasm {
  loaded ??= load('@prisma/prisma-schema-wasm') as PrismaSchemaWasm
  return loaded
}
