import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Failure } from '@outgrow/kit'
import { formatPrismaSchema, type SchemaFile } from './engine/prisma-wasm.ts'
import { Edits } from './psl/edit.ts'
import { parsePrismaFile } from './psl/parse.ts'
import type { SchemaSource } from './source.ts'

export interface Addition {
  /** Whole blocks. */
  text: string
  /** File that gets them in a schema of several; a schema of one file has them at its end. */
  file: string
  /** Lines at the end of models that are there. */
  members: { model: string; lines: string[] }[]
}

export interface AddedSchema {
  /** The schema as it would be. Nothing is written. */
  source: SchemaSource
  changed: SchemaFile[]
}

/** Adds blocks and members to a schema, to the letter of the rest. */
export function addToSchema(source: SchemaSource, { text, file, members }: Addition): AddedSchema {
  const changed = new Map<string, string>()
  for (const { model, lines } of members) {
    const [path, before] = fileOf(source, model, changed)
    const block = parsePrismaFile(path, before).blocks.find(
      ({ name, kind }) => kind === 'model' && name === model,
    )
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

function fileOf(source: SchemaSource, model: string, changed: Map<string, string>): SchemaFile {
  for (const [path, original] of source.files) {
    const text = changed.get(path) ?? original
    if (parsePrismaFile(path, text).blocks.some(({ name, kind }) => kind === 'model' && name === model))
      return [path, text]
  }
  throw new Failure({
    code: 'OUTGROW_SCHEMA_INVALID',
    message: `The schema has no model ${model}.`,
    fix: 'Name one that it has.',
  })
}
