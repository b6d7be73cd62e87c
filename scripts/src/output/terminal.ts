import { createRequire } from 'node:module'
import { styleText } from 'node:util'
import type wrapAnsi from 'wrap-ansi'

type Style = Parameters<typeof styleText>[0]

const load = createRequire(import.meta.url)

/** Human words and progress. They go to stderr when stdout carries a JSON document. */
export class Terminal {
  readonly #stream: NodeJS.WriteStream
  #barShown = false
  #lastBar = 0

  constructor(json: boolean) {
    this.#stream = json ? process.stderr : process.stdout
  }

  /** A line, broken between words where the terminal ends; what follows keeps the line's own indent. */
  line(text = ''): void {
    this.#clearBar()
    const { isTTY, columns } = this.#stream
    this.#stream.write(`${isTTY ? wrapped(text, columns) : text}\n`)
  }

  style(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#stream })
  }

  /** A bar on a terminal, at most ten times a second; nothing elsewhere but a line every ten seconds. */
  progress(text: () => string): void {
    const now = performance.now()
    const every = this.#stream.isTTY ? 100 : 10_000
    if (this.#lastBar === 0 && !this.#stream.isTTY) this.#lastBar = now
    if (now - this.#lastBar < every) return
    this.#lastBar = now
    if (!this.#stream.isTTY) {
      this.#stream.write(`  ${text()}\n`)
      return
    }
    // One column stays free: a full line would wrap, and could not be taken back.
    this.#stream.write(`\r\u001B[2K${`  ${text()}`.slice(0, Math.max(0, this.#stream.columns - 1))}`)
    this.#barShown = true
  }

  /** Shows from the first second on that something is under way that tells nothing of itself. Returns what ends it. */
  busy(label: string): () => void {
    const started = performance.now()
    const timer = setInterval(() => {
      this.progress(() => `${label} … ${duration(performance.now() - started)}`)
    }, 1000)
    timer.unref()
    return () => {
      clearInterval(timer)
      this.#clearBar()
    }
  }

  #clearBar(): void {
    if (!this.#barShown) return
    this.#stream.write('\r\u001B[2K')
    this.#barShown = false
  }
}

/** Text broken between words, with the indent of its first line throughout. */
export function wrapped(text: string, columns: number): string {
  const indent = /^ */.exec(text)?.[0] ?? ''
  const room = Math.max(20, columns - indent.length)
  if (2 * text.length <= room) return text // however wide its characters are
  // Loaded for the first long line: its tables of characters take as long as all the rest of a small command.
  const { default: wrap } = load('wrap-ansi') as { default: typeof wrapAnsi }
  return wrap(text.slice(indent.length), room, { hard: false, trim: false })
    .split('\n')
    .map((line, at) => `${indent}${at === 0 ? line : line.trimStart()}`)
    .join('\n')
}

/** A table with left-aligned texts and right-aligned numbers. */
export function textTable(head: string[], rows: (string | number)[][]): string[] {
  const cells = [
    head,
    ...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? count(cell) : cell))),
  ]
  const widths = head.map((_, at) => Math.max(...cells.map((row) => (row[at] ?? '').length)))
  const isNumber = head.map((_, at) => rows.length > 0 && rows.every((row) => typeof row[at] === 'number'))
  return cells.map((row) =>
    row
      .map((cell, at) =>
        isNumber[at] ? cell.padStart(widths[at] as number) : cell.padEnd(widths[at] as number),
      )
      .join('  ')
      .trimEnd(),
  )
}

export function count(value: number): string {
  return value.toLocaleString('en-US')
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  return ms < 100_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`
}

export function size(bytes: number): string {
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`
}
