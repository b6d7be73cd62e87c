import type { Span } from './syntax.ts'

/** Collects replacements of one file's text and applies them together. */
export class Edits {
  readonly #text: string
  readonly #edits: (Span & { text: string })[] = []

  constructor(text: string) {
    this.#text = text
  }

  replace(span: Span, text: string): void {
    this.#edits.push({ start: span.start, end: span.end, text })
  }

  insert(at: number, text: string): void {
    this.#edits.push({ start: at, end: at, text })
  }

  /** Removes a piece with the blanks before it. */
  remove(span: Span): void {
    let start = span.start
    while (/[ \t]/.test(this.#text[start - 1] ?? '')) start--
    const startsLine = start === 0 || this.#text[start - 1] === '\n'
    this.replace({ start: startsLine ? span.start : start, end: span.end }, '')
  }

  /** Removes the lines on which a member stands, but for what else stands on them. */
  removeLines(span: Span): void {
    const lineStart = this.#text.lastIndexOf('\n', span.start - 1) + 1
    const newline = this.#text.indexOf('\n', span.end)
    const lineEnd = newline < 0 ? this.#text.length : newline + 1
    const before = this.#text.slice(lineStart, span.start)
    const after = this.#text.slice(span.end, lineEnd)
    const isAlone = before.trim() === '' && /^\s*(\/\/.*)?$/.test(after)
    if (isAlone) this.replace({ start: lineStart, end: lineEnd }, '')
    else this.remove(span)
  }

  /** Removes a member with the documentation above it, which would speak of the next one. */
  removeMember(span: Span): void {
    this.removeLines(span)
    let end = this.#text.lastIndexOf('\n', span.start - 1) + 1
    for (;;) {
      const start = this.#text.lastIndexOf('\n', end - 2) + 1
      if (end < 2 || !/^\s*\/\/\//.test(this.#text.slice(start, end))) return
      this.replace({ start, end }, '')
      end = start
    }
  }

  /** The edited text. Insertions come before a replacement at the same place; an edit that lies within a larger one is swallowed by it. */
  apply(): string {
    const edits = this.#edits
      .map((edit, order) => ({ ...edit, order }))
      .toSorted(
        (a, b) =>
          a.start - b.start ||
          Number(a.end > a.start) - Number(b.end > b.start) ||
          b.end - a.end ||
          a.order - b.order,
      )
    let result = ''
    let at = 0
    for (const edit of edits) {
      if (edit.start < at) continue
      result += this.#text.slice(at, edit.start) + edit.text
      at = edit.end
    }
    return result + this.#text.slice(at)
  }
}
