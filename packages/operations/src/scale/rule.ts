import type { StoredMigration } from '@outgrow/schema'
import type { Placement } from './placement.ts'
import type { ScaleModel } from './scale-schema.ts'

/** A replacement in one file of the schema; an insertion where both offsets are the same. */
export interface Edit {
  model: ScaleModel
  start: number
  end: number
  text: string
}

/** One place that a rule is about. */
export interface Violation {
  /** `change`: has to be done, and is written out. `decide`: somebody has to decide. `advice`: would be better. */
  level: 'change' | 'decide' | 'advice'
  model: ScaleModel
  /** The member of the model that it is about; the model itself where there is none. */
  at: { start: number; end: number }
  field: string | null
  /** What is there, and why a cluster refuses it. */
  fact: string
  /** What to do, in words. */
  fix: string
  edits: Edit[]
  /** Lines to write elsewhere than in the schema, or to choose from. */
  example?: string
  /** Where it stands in a migration, and not in the schema. */
  migration?: { name: string; line: number }
}

export interface RuleContext {
  placement: Placement
  /** The project's migrations for Postgres; undefined where there are none to look at. */
  migrations: StoredMigration[] | undefined
}

/** One promise that a schema must keep to be spread over a cluster. */
export interface Rule {
  number: number
  code: `OUTGROW_SCALE_${string}`
  promise: string
  /** Why a cluster asks for it. */
  why: string
  /** Undefined where neither the schema nor the migrations show whether it is kept. */
  find(context: RuleContext): Violation[] | undefined
  /** Where to look, of a rule that a schema does not show. */
  look?: string
}

/** Writes lines at the end of a model. */
export function addLine(model: ScaleModel, text: string): Edit {
  const { bodyEnd } = model.block
  const isOwnLine = /\n[ \t]*$/.test(model.file.text.slice(0, bodyEnd))
  return { model, start: bodyEnd, end: bodyEnd, text: `${isOwnLine ? '' : '\n'}  ${text}\n` }
}

/** Takes a piece away, with the blanks before it. */
export function removePiece(model: ScaleModel, { start, end }: { start: number; end: number }): Edit {
  let from = start
  while (/[ \t]/.test(model.file.text[from - 1] ?? '')) from--
  return { model, start: from, end, text: '' }
}

/** Takes the whole lines of a member away. */
export function removeLines(model: ScaleModel, { start, end }: { start: number; end: number }): Edit {
  const { text } = model.file
  const newline = text.indexOf('\n', end)
  return {
    model,
    start: text.lastIndexOf('\n', start - 1) + 1,
    end: newline < 0 ? text.length : newline + 1,
    text: '',
  }
}
