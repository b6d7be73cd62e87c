import { Failure } from '@outgrow/kit'
import type {
  Argument,
  Attribute,
  Block,
  BlockKind,
  Directive,
  Expression,
  Member,
  PrismaFile,
} from './syntax.ts'
import { lineOf } from './syntax.ts'

const blockKinds = new Set(['model', 'view', 'type', 'enum', 'datasource', 'generator'])
const identifier = /[\p{L}\p{N}_][\p{L}\p{N}_-]*(?:\.[\p{L}\p{N}_][\p{L}\p{N}_-]*)*/uy
const directive = /^\s*outgrow:(sqlite|postgres)(?:ql)?\s+(.+?)\s*$/
const misspelledDirective = /^\/?\s*outgrow:/

/**
 * Parses one Prisma schema file, keeping the place of everything, so that it can be edited without touching the rest.
 * It is lenient: what is wrong in detail is left to Prisma's own validator.
 * @throws Failure OUTGROW_SCHEMA_INVALID
 */
export function parsePrismaFile(path: string, text: string): PrismaFile {
  return new Parser(path, text).file()
}

class Parser {
  readonly path: string
  readonly text: string
  readonly directives: Directive[] = []
  at = 0

  constructor(path: string, text: string) {
    this.path = path
    this.text = text
    if (text.charCodeAt(0) === 0xfeff) this.at = 1
  }

  file(): PrismaFile {
    const blocks: Block[] = []
    for (this.trivia(); this.at < this.text.length; this.trivia()) blocks.push(this.block())
    return { path: this.path, text: this.text, blocks, directives: this.directives }
  }

  block(): Block {
    const start = this.at
    const kind = this.word()
    if (!blockKinds.has(kind)) this.fail(start, `"${kind}" is not a Prisma schema keyword`)
    this.blanks()
    const nameStart = this.at
    const name = this.word()
    const nameSpan = { start: nameStart, end: this.at }
    this.trivia()
    this.expect('{')
    const bodyStart = this.at
    const members: Member[] = []
    for (this.trivia(); this.text[this.at] !== '}'; this.trivia()) {
      if (this.at >= this.text.length) this.fail(start, `${kind} ${name} is not closed`)
      members.push(this.member(kind as BlockKind))
    }
    const bodyEnd = this.at++
    return { kind: kind as BlockKind, name, nameSpan, bodyStart, bodyEnd, members, start, end: this.at }
  }

  member(kind: BlockKind): Member {
    const start = this.at
    if (this.text.startsWith('@@', this.at)) {
      const attribute = this.attribute()
      return { kind: 'attribute', attribute, start, end: this.at }
    }
    const name = this.word()
    const nameSpan = { start, end: this.at }
    if (kind === 'datasource' || kind === 'generator') {
      this.blanks()
      this.expect('=')
      this.blanks()
      const value = this.text[this.at] === '\n' ? undefined : this.expression()
      return { kind: 'property', name, value, start, end: this.at }
    }
    if (kind === 'enum') {
      const attributes = this.attributes()
      return { kind: 'value', name, attributes, start, end: attributes.at(-1)?.end ?? nameSpan.end }
    }
    this.blanks()
    const typeStart = this.at
    let type = this.word()
    let unsupported: string | undefined
    if (type === 'Unsupported' && this.text[this.at] === '(') {
      const inner = this.args()[0]?.value
      unsupported = inner?.kind === 'string' ? inner.value : ''
    }
    let arity: 'required' | 'optional' | 'list' = 'required'
    if (this.text.startsWith('[]', this.at)) {
      arity = 'list'
      this.at += 2
    }
    if (this.text[this.at] === '?') {
      if (arity === 'required') arity = 'optional'
      this.at++
    }
    const typeSpan = { start: typeStart, end: this.at }
    type = type.trim()
    const attributes = this.attributes()
    const end = attributes.at(-1)?.end ?? typeSpan.end
    return { kind: 'field', name, nameSpan, type, typeSpan, unsupported, arity, attributes, start, end }
  }

  attributes(): Attribute[] {
    const found: Attribute[] = []
    for (;;) {
      const before = this.at
      this.blanks()
      if (this.text[this.at] !== '@') {
        this.at = before
        return found
      }
      found.push(this.attribute())
    }
  }

  attribute(): Attribute {
    const start = this.at
    while (this.text[this.at] === '@') this.at++
    const name = this.word()
    const before = this.at
    this.blanks()
    if (this.text[this.at] !== '(') this.at = before
    const args = this.text[this.at] === '(' ? this.args() : []
    return { name, args, start, end: this.at }
  }

  args(): Argument[] {
    const args: Argument[] = []
    this.expect('(')
    for (this.trivia(); this.text[this.at] !== ')'; this.trivia()) {
      const start = this.at
      let name: string | undefined
      const named = /[\p{L}\p{N}_]+[ \t]*:/uy
      named.lastIndex = this.at
      const match = named.exec(this.text)
      if (match) {
        name = match[0].slice(0, -1).trim()
        this.at += match[0].length
        this.trivia()
      }
      const value = this.expression()
      args.push({ name, value, start, end: this.at })
      this.trivia()
      if (this.text[this.at] === ',') this.at++
    }
    this.at++
    return args
  }

  expression(): Expression {
    const start = this.at
    const char = this.text[this.at]
    if (char === '"') return { kind: 'string', value: this.string(), start, end: this.at }
    if (char === '{') {
      this.object()
      return { kind: 'object', start, end: this.at }
    }
    if (char === '[') {
      const items: Expression[] = []
      this.at++
      for (this.trivia(); this.text[this.at] !== ']'; this.trivia()) {
        items.push(this.expression())
        this.trivia()
        if (this.text[this.at] === ',') this.at++
      }
      this.at++
      return { kind: 'array', items, start, end: this.at }
    }
    const number = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\p{L}_])/uy
    number.lastIndex = this.at
    const digits = number.exec(this.text)
    if (digits) {
      this.at += digits[0].length
      return { kind: 'number', text: digits[0], start, end: this.at }
    }
    const name = this.word()
    if (this.text[this.at] === '(') {
      const args = this.args()
      return { kind: 'call', name, args, start, end: this.at }
    }
    return { kind: 'path', text: name, start, end: this.at }
  }

  object(): void {
    this.expect('{')
    for (this.trivia(); this.text[this.at] !== '}'; this.trivia()) {
      this.word()
      this.trivia()
      this.expect(':')
      this.trivia()
      this.expression()
      this.trivia()
      if (this.text[this.at] === ',') this.at++
    }
    this.at++
  }

  string(): string {
    const start = this.at
    for (this.at++; this.text[this.at] !== '"'; this.at++) {
      if (this.text[this.at] === '\\') this.at++
      if (this.at >= this.text.length || this.text[this.at] === '\n') {
        this.fail(start, 'the string is not closed')
      }
    }
    this.at++
    return unescape(this.text.slice(start + 1, this.at - 1))
  }

  word(): string {
    identifier.lastIndex = this.at
    const match = identifier.exec(this.text)
    if (!match) this.fail(this.at, `unexpected ${JSON.stringify(this.text[this.at] ?? 'end of file')}`)
    this.at += match[0].length
    return match[0]
  }

  expect(char: string): void {
    if (this.text[this.at] !== char) this.fail(this.at, `expected ${char}`)
    this.at++
  }

  /** Blanks and block comments of this line. */
  blanks(): void {
    for (;;) {
      const char = this.text[this.at]
      if (char === ' ' || char === '\t' || char === '\r') this.at++
      else if (this.text.startsWith('/*', this.at)) this.blockComment()
      else return
    }
  }

  /** White space, line ends and comments. */
  trivia(): void {
    for (;;) {
      this.blanks()
      if (this.text[this.at] === '\n') this.at++
      else if (this.text.startsWith('//', this.at)) this.lineComment()
      else return
    }
  }

  blockComment(): void {
    const close = this.text.indexOf('*/', this.at + 2)
    if (close < 0) this.fail(this.at, 'the comment is not closed')
    this.at = close + 2
  }

  lineComment(): void {
    const start = this.at
    const newline = this.text.indexOf('\n', start)
    this.at = newline < 0 ? this.text.length : newline
    const match = directive.exec(this.text.slice(start + 2, this.at))
    if (!match) {
      const said = this.text.slice(start + 2, this.at)
      if (misspelledDirective.test(said)) {
        this.fail(
          start,
          `"//${said.trimEnd()}" is not recognized: write // outgrow:sqlite … or // outgrow:postgres …`,
        )
      }
      return
    }
    const lineStart = this.text.lastIndexOf('\n', start) + 1
    this.directives.push({
      provider: match[1] as 'sqlite' | 'postgres',
      text: match[2] as string,
      trailing: this.text.slice(lineStart, start).trim() !== '',
      start,
      end: this.at,
    })
  }

  fail(at: number, what: string): never {
    throw new Failure({
      code: 'OUTGROW_SCHEMA_INVALID',
      message: `${this.path}:${lineOf(this.text, at)}: ${what}.`,
      fix: 'Correct the schema; `prisma validate` shows the same place.',
    })
  }
}

function unescape(body: string): string {
  if (!body.includes('\\')) return body
  return body.replace(/\\(u[0-9a-fA-F]{4}|.)/g, (_, escape: string) => {
    if (escape.length === 5) return String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }[escape] ?? escape
  })
}

/** A string as Prisma's schema language writes it. */
export function quotePsl(text: string): string {
  return JSON.stringify(text)
}
