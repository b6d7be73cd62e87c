import { Edits, lineOf, type PrismaFile, type SchemaSource } from '@outgrow/schema'
import type { Edit } from './rule.ts'

/** One change of a schema's lines: `before` is null for lines that are added, `after` for those that go. */
export interface LineChange {
  file: string
  /** 1-based; of lines that are added, the one that they come before. */
  line: number
  before: string | null
  after: string | null
}

/** The schema with all edits made. */
export function changedFiles(source: SchemaSource, edits: Edit[]): SchemaSource['files'] {
  return source.files.map(([path, text]) => {
    const own = edits.filter(({ model }) => model.file.path === path)
    return [path, applied(text, own, 0)]
  })
}

/** The lines that some edits touch, as they are when all are made. */
export function changedLines(edits: Edit[], all: Edit[]): LineChange[] {
  const changes = new Map<string, LineChange>()
  for (const edit of edits) {
    const change = isWholeLine(edit) ? addedLines(edit) : changedLine(edit, all)
    changes.set(
      JSON.stringify([change.file, change.line, change.before, change.before ?? change.after]),
      change,
    )
  }
  return [...changes.values()].toSorted((a, b) =>
    a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1,
  )
}

const isWholeLine = ({ start, end, text }: Edit): boolean => start === end && text.includes('\n')

function addedLines({ model: { file }, start, text }: Edit): LineChange {
  const isBehind = text.startsWith('\n')
  const line = lineOf(file.text, start) + (isBehind ? 1 : 0)
  return { file: file.path, line, before: null, after: text.replace(/^\n+|\n+$/g, '') }
}

function changedLine({ model: { file }, start, end }: Edit, all: Edit[]): LineChange {
  const range = linesAround(file, start, Math.max(start, end - 1))
  const inside = all.filter(
    (edit) =>
      edit.model.file === file && !isWholeLine(edit) && edit.start >= range.start && edit.end <= range.end,
  )
  const before = file.text.slice(range.start, range.end)
  const after = applied(before, inside, range.start)
  return {
    file: file.path,
    line: lineOf(file.text, range.start),
    before: before.replace(/\n$/, ''),
    after: after === '' ? null : after.replace(/\n$/, ''),
  }
}

function linesAround({ text }: PrismaFile, start: number, end: number): { start: number; end: number } {
  const newline = text.indexOf('\n', end)
  return { start: text.lastIndexOf('\n', start - 1) + 1, end: newline < 0 ? text.length : newline + 1 }
}

function applied(text: string, edits: Edit[], from: number): string {
  const changes = new Edits(text)
  const seen = new Set<string>()
  for (const { start, end, text: piece } of edits) {
    // Two relations may ask for the same.
    const key = JSON.stringify([start, end, piece])
    if (!seen.has(key)) changes.replace({ start: start - from, end: end - from }, piece)
    seen.add(key)
  }
  return changes.apply()
}
