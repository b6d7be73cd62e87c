import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Failure } from '@outgrow/kit'
import { formatPrismaSchema, type SchemaFile } from './engine/prisma-wasm.ts'
import { Edits } from './psl/edit.ts'
import { parsePrismaFile } from './psl/parse.ts'
import type { Block } from './psl/syntax.ts'
import type { SchemaSource } from './source.ts'

export interface Addition {
  /** Whole blocks. */
  text: string
  /** File that gets them in a schema of several; a schema of one file has them at its end. */
  file: string
  members: AddedMembers[]
}

/** Lines at the end of a model or an enum that is there. */
export interface AddedMembers {
  block: string
  lines: string[]
}

export interface AddedSchema {
  /** The schema as it would be. Nothing is written. */
  source: SchemaSource
  changed: SchemaFile[]
}

/** Adds blocks and members to a schema, to the letter of the rest. */
export function addToSchema(source: SchemaSource, { text, file, members }: Addition): AddedSchema {
  const changed = new Map<string, string>()
  for (const { block: named, lines } of members) {
    const [path, before] = fileOf(source, named, changed)
    const block = parsePrismaFile(path, before).blocks.find((one) => isNamed(one, named))
    const edits = new Edits(before)
    const at = before.lastIndexOf('\n', block?.bodyEnd ?? 0) + 1
    edits.insert(at, `\n${lines.map((line) => `  ${line}\n`).join('')}`)
    changed.set(path, edits.apply())
  }
  const added = formatPrismaSchema(text).trim()
  const [first] = source.files
  const isFolder = !source.path.endsWith('.prisma')
  const path = isFolder ? file : (first?.[0] ?? file)
  const before = changed.get(path) ?? source.files.find(([name]) => name === path)?.[1] ?? ''
  if (added !== '')
    changed.set(path, before.trim() === '' ? `${added}\n` : `${before.trimEnd()}\n\n${added}\n`)
  const files = [...new Map<string, string>([...source.files, ...changed])]
  return { source: { ...source, files }, changed: [...changed] }
}

export function writeAdded({ source, changed }: AddedSchema): void {
  const folder = source.path.endsWith('.prisma') ? dirname(source.path) : source.path
  for (const [path, text] of changed) writeFileSync(join(folder, path), text)
}

function isNamed({ kind, name }: Block, wanted: string): boolean {
  return (kind === 'model' || kind === 'enum') && name === wanted
}

function fileOf(source: SchemaSource, wanted: string, changed: Map<string, string>): SchemaFile {
  for (const [path, original] of source.files) {
    const text = changed.get(path) ?? original
    if (parsePrismaFile(path, text).blocks.some((block) => isNamed(block, wanted))) return [path, text]
  }
  throw new Failure({
    code: 'OUTGROW_SCHEMA_INVALID',
    message: `The schema has no model ${wanted}.`,
    fix: 'Name one that it has.',
  })
}
