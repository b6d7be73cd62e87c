import type { BinaryWriter } from '../binary-writer.ts'
import { freeMemory } from '../buffer-pool.ts'
import { numericText } from './number.ts'
import { invalidJson, JsonbRefusal } from './refusal.ts'
import { respelled } from './string.ts'

const maxDepth = 6000
const quoteMark = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const blank = 0x20
/** What is kept of the memory that a document took. */
const keptBytes = 1024 * 1024
/** Numbers kept of each member of an object. */
const memberSize = 4

/**
 * Writes the text that Postgres gives for a `jsonb` made from a JSON text: keys by length and bytes, the last of equal
 * keys, `": "` and `", "`, numbers as `numeric` writes them. So two equal documents have one text, and no digit is lost.
 * One pass over the bytes, since this is most of the work of a database that keeps documents.
 */
class JsonbScanner {
  /** The source in UTF-8, ended by a zero that no JSON may hold. */
  #input: Buffer = Buffer.allocUnsafeSlow(64 * 1024)
  #at = 0
  #end = 0
  #writer!: BinaryWriter
  #output!: Buffer
  #to = 0
  /** Of the objects being read, by `member`: where in the output its key starts and ends, whether that has escapes, its end. */
  readonly #members: number[] = []
  #scratch: Buffer = Buffer.allocUnsafeSlow(4096)
  #loss: string | undefined

  /** @throws JsonbRefusal; what was written until then is to be dropped */
  write(source: string | Uint8Array, writer: BinaryWriter): string | undefined {
    try {
      return this.#write(source, writer)
    } finally {
      this.#input = keptOf(this.#input)
      this.#scratch = keptOf(this.#scratch)
    }
  }

  #write(source: string | Uint8Array, writer: BinaryWriter): string | undefined {
    this.#loss = undefined
    if (source.length * 3 + 1 > this.#input.length) {
      freeMemory(this.#input.buffer)
      this.#input = Buffer.allocUnsafeSlow(source.length * 3 + 1)
    }
    if (typeof source === 'string') this.#end = this.#input.write(source, 'utf8')
    else {
      this.#input.set(source)
      this.#end = source.length
    }
    this.#input[this.#end] = 0
    this.#at = 0
    this.#members.length = 0
    this.#writer = writer
    this.#to = writer.at
    this.#room(0)
    this.#value(0)
    this.#blanks()
    if (this.#at < this.#end) throw invalidJson()
    writer.at = this.#to
    return this.#loss
  }

  /** Room for `bytes` and all that is still to come: a colon or a comma grows by one blank, nothing else grows here. */
  #room(bytes: number): void {
    this.#writer.at = this.#to
    this.#writer.ensure(bytes + 2 * (this.#end - this.#at) + 16)
    this.#output = this.#writer.buffer
  }

  #value(depth: number): void {
    if (depth > maxDepth) throw new JsonbRefusal('is JSON nested too deeply')
    this.#blanks()
    switch (this.#input[this.#at]) {
      case 0x7b:
        return this.#object(depth)
      case 0x5b:
        return this.#array(depth)
      case quoteMark:
        this.#string()
        return undefined
      case 0x74:
        return this.#word('true')
      case 0x66:
        return this.#word('false')
      case 0x6e:
        return this.#word('null')
      default:
        return this.#number()
    }
  }

  #object(depth: number): void {
    const members = this.#members
    const first = members.length
    this.#output[this.#to++] = 0x7b
    this.#at++
    this.#blanks()
    if (this.#input[this.#at] === 0x7d) this.#at++
    else {
      for (;;) {
        this.#blanks()
        if (this.#input[this.#at] !== quoteMark) throw invalidJson()
        const start = this.#to
        const escaped = this.#string()
        const keyEnd = this.#to
        this.#blanks()
        if (this.#input[this.#at++] !== colon) throw invalidJson()
        this.#output[this.#to++] = colon
        this.#output[this.#to++] = blank
        this.#value(depth + 1)
        members.push(start, keyEnd, escaped ? 1 : 0, this.#to)
        this.#blanks()
        const next = this.#input[this.#at++]
        if (next === 0x7d) break
        if (next !== comma) throw invalidJson()
        this.#output[this.#to++] = comma
        this.#output[this.#to++] = blank
      }
      if (!this.#isSorted(first)) this.#sort(first)
      members.length = first
    }
    this.#output[this.#to++] = 0x7d
  }

  #array(depth: number): void {
    this.#output[this.#to++] = 0x5b
    this.#at++
    this.#blanks()
    if (this.#input[this.#at] === 0x5d) this.#at++
    else {
      for (;;) {
        this.#value(depth + 1)
        this.#blanks()
        const next = this.#input[this.#at++]
        if (next === 0x5d) break
        if (next !== comma) throw invalidJson()
        this.#output[this.#to++] = comma
        this.#output[this.#to++] = blank
      }
    }
    this.#output[this.#to++] = 0x5d
  }

  /** Copies a string with its quotes; one with escapes is spelled anew. Returns whether it had any. */
  #string(): boolean {
    const input = this.#input
    const output = this.#output
    let at = this.#at
    let to = this.#to
    output[to++] = quoteMark
    for (;;) {
      const byte = input[++at] as number
      output[to++] = byte
      if (byte === quoteMark) break
      if (byte === backslash) return this.#escapedString(at)
      if (byte < blank) throw invalidJson()
    }
    this.#at = at + 1
    this.#to = to
    return false
  }

  #escapedString(firstEscape: number): true {
    const input = this.#input
    let at = firstEscape
    for (; input[at] !== quoteMark; at++) {
      if ((input[at] as number) < blank) throw invalidJson()
      if (input[at] === backslash) at++
    }
    const text = respelled(input.toString('utf8', this.#at + 1, at))
    this.#at = at + 1
    this.#writeText(text)
    return true
  }

  #number(): void {
    const input = this.#input
    const start = this.#at
    let at = start
    if (input[at] === 0x2d) at++
    const whole = at
    at = this.#digits(at)
    if (at === whole || (at > whole + 1 && input[whole] === 0x30)) throw invalidJson()
    const isLong = at - whole > 131072
    if (input[at] === 0x2e) {
      const fraction = at + 1
      at = this.#digits(fraction)
      if (at === fraction) throw invalidJson()
    }
    if (input[at] === 0x65 || input[at] === 0x45) {
      at++
      if (input[at] === 0x2b || input[at] === 0x2d) at++
      const exponent = at
      at = this.#digits(at)
      if (at === exponent) throw invalidJson()
    } else if (input[start] !== 0x2d && !isLong && at - whole < 16000) {
      const output = this.#output
      let to = this.#to
      for (let from = start; from < at; from++) output[to++] = input[from] as number
      this.#at = at
      this.#to = to
      return
    }
    const written = input.toString('latin1', start, at)
    const text = numericText(written)
    if (written.startsWith('-') && !text.startsWith('-')) {
      this.#loss ??= 'contains -0 in JSON, and jsonb drops the sign'
    }
    this.#at = at
    this.#writeText(text)
  }

  #digits(from: number): number {
    let at = from
    for (;;) {
      const byte = this.#input[at] as number
      if (byte < 0x30 || byte > 0x39) return at
      at++
    }
  }

  #word(word: string): void {
    const { length } = word
    for (let at = 0; at < length; at++) {
      const byte = this.#input[this.#at++]
      if (byte !== word.charCodeAt(at)) throw invalidJson()
      this.#output[this.#to++] = byte
    }
  }

  /** What may be longer than its source. */
  #writeText(text: string): void {
    this.#room(text.length * 3)
    this.#to += this.#output.write(text, this.#to, 'utf8')
  }

  #blanks(): void {
    for (;;) {
      const byte = this.#input[this.#at] as number
      if (byte > blank || (byte !== blank && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) return
      this.#at++
    }
  }

  #isSorted(first: number): boolean {
    const members = this.#members
    for (let at = first + memberSize; at < members.length; at += memberSize) {
      if (this.#compare(this.#output, 0, at - memberSize, at) >= 0) return false
    }
    return true
  }

  /** Puts the members of an object, which are the end of the output, in order; of equal keys the last one stays. */
  #sort(first: number): void {
    const members = this.#members
    const start = members[first] as number
    const size = this.#to - start
    if (this.#scratch.length < size) this.#scratch = Buffer.allocUnsafeSlow(size * 2)
    const scratch = this.#scratch
    const output = this.#output
    output.copy(scratch, 0, start, this.#to)
    const order = this.#ordered(first)
    let to = start
    for (let index = 0; index < order.length; index++) {
      const member = order[index] as number
      const next = order[index + 1]
      if (next !== undefined && this.#compare(scratch, start, member, next) === 0) {
        this.#loss ??= 'contains a duplicate key in JSON, and jsonb keeps only the last'
        continue
      }
      if (to > start) {
        output[to++] = comma
        output[to++] = blank
      }
      const from = (members[member] as number) - start
      const end = (members[member + 3] as number) - start
      if (end - from > 64) to += scratch.copy(output, to, from, end)
      else for (let at = from; at < end; at++) output[to++] = scratch[at] as number
    }
    this.#to = to
  }

  #ordered(first: number): number[] {
    const order: number[] = []
    for (let member = first; member < this.#members.length; member += memberSize) order.push(member)
    const compare = (a: number, b: number) => this.#compare(this.#output, 0, a, b)
    if (order.length > 24) return order.sort(compare)
    // Most objects are small, and in these insertion takes a third of the engine's time.
    for (let index = 1; index < order.length; index++) {
      const member = order[index] as number
      let place = index
      while (place > 0 && compare(order[place - 1] as number, member) > 0) {
        order[place] = order[place - 1] as number
        place--
      }
      order[place] = member
    }
    return order
  }

  /** Two keys by length and then by bytes. `bytes` holds the output from `start` on. */
  #compare(bytes: Buffer, start: number, left: number, right: number): number {
    const members = this.#members
    const a = (members[left] as number) - start
    const b = (members[right] as number) - start
    const aEnd = (members[left + 1] as number) - start
    const bEnd = (members[right + 1] as number) - start
    if (members[left + 2] === 1 || members[right + 2] === 1) {
      return byLengthThenBytes(keyAt(bytes, a, aEnd), keyAt(bytes, b, bEnd))
    }
    if (aEnd - a !== bEnd - b) return aEnd - a - (bEnd - b)
    for (let at = 0; at < aEnd - a; at++) {
      const difference = (bytes[a + at] as number) - (bytes[b + at] as number)
      if (difference !== 0) return difference
    }
    return 0
  }
}

function keyAt(bytes: Buffer, start: number, end: number): Buffer {
  return Buffer.from(JSON.parse(bytes.toString('utf8', start, end)) as string)
}

function byLengthThenBytes(a: Buffer, b: Buffer): number {
  return a.length - b.length || Buffer.compare(a, b)
}

/** What a large document took is given back, and not kept for the next one. */
function keptOf(buffer: Buffer): Buffer {
  if (buffer.length <= keptBytes) return buffer
  freeMemory(buffer.buffer)
  return Buffer.allocUnsafeSlow(4096)
}

const scanner = new JsonbScanner()

/**
 * Writes a JSON text as Postgres would give it back, without a length before it. Returns what `jsonb` drops of it, if
 * anything, as a reason.
 * @param source the text, or its valid UTF-8
 * @throws JsonbRefusal; what was written until then is to be dropped
 */
export function writeJsonbText(source: string | Uint8Array, writer: BinaryWriter): string | undefined {
  return scanner.write(source, writer)
}
