import { freeMemory } from '../buffer-pool.ts'
import { KeyPath } from './key-path.ts'
import { numericText } from './number.ts'
import { invalidJson, JsonbRefusal } from './refusal.ts'
import { respelled } from './string.ts'

const maxDepth = 6000
const quoteMark = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const blank = 0x20
/** Zeros behind the source, so that a word of four bytes may be read wherever a byte of it is. */
const endBytes = 4
/** What is kept of the memory that a document took. */
const keptBytes = 1024 * 1024

/** What a value is: a piece of the source, a text that is spelled anew, or a container. */
export const valueKinds = { piece: 0, text: 1, object: 2, array: 3 } as const
/** Numbers of a value: its kind, and its two places. */
export const valueSize = 3
/** And of a member: the two places of its key first, the second -1 where the key is a text. */
export const memberSize = 5

/**
 * The form of a JSON document: what `jsonb` makes of it in its order, as places in the source. Its values lie in one array of
 * numbers, those of a container side by side.
 */
export class JsonTree {
  /** The source in UTF-8, ended by zeros that no JSON may hold: a backslash at the end takes one of them for its own. */
  input: Buffer = Buffer.allocUnsafeSlow(64 * 1024)
  view = new DataView(this.input.buffer)
  /** Values of containers, by `valueSize`, and members of objects in jsonb's order, by `memberSize`. */
  slots = new Int32Array(1024)
  /** What is not written as it stands in the source. */
  readonly texts: string[] = []
  /** The value that was read last. A piece, from `a` to `b`; the text `a`; or `b` values or members from `a` on. */
  kind: number = valueKinds.piece
  a = 0
  b = 0
  /** Bytes of the source. */
  get length(): number {
    return this.#end
  }
  /** What `jsonb` drops of the document, as a reason. */
  loss: string | undefined
  #keys = KeyPath.root()
  #at = 0
  #end = 0
  #used = 0
  /** Values of the containers that are being read. */
  #stack = new Int32Array(1024)
  #top = 0
  #order = new Int32Array(64)

  /**
   * @param keys of objects that were read before
   * @throws JsonbRefusal
   */
  read(source: string | Uint8Array, keys: KeyPath): void {
    this.#keys = keys
    this.loss = undefined
    this.#forgetTexts()
    this.#used = 0
    this.#top = 0
    this.#at = 0
    const room = (typeof source === 'string' ? source.length * 3 : source.length) + endBytes
    if (room > this.input.length) this.#holdInput(room)
    if (typeof source === 'string') this.#end = this.input.write(source, 'utf8')
    else {
      this.input.set(source)
      this.#end = source.length
    }
    this.view.setInt32(this.#end, 0)
    this.#value(0)
    this.#blanks()
    if (this.#at < this.#end) throw invalidJson()
  }

  /** Gives back what a large document took, and does not keep it for the next one. */
  shrink(): void {
    this.#forgetTexts()
    if (this.input.length > keptBytes) this.#holdInput(64 * 1024)
    if (this.slots.byteLength > keptBytes) this.slots = new Int32Array(1024)
    if (this.#stack.byteLength > keptBytes) this.#stack = new Int32Array(1024)
    if (this.#order.byteLength > keptBytes) this.#order = new Int32Array(64)
  }

  /** Setting the length of an array is slow, even where it stays 0. */
  #forgetTexts(): void {
    if (this.texts.length > 0) this.texts.length = 0
  }

  #holdInput(bytes: number): void {
    freeMemory(this.input.buffer)
    this.input = Buffer.allocUnsafeSlow(bytes)
    this.view = new DataView(this.input.buffer)
  }

  #value(depth: number): void {
    if (depth > maxDepth) throw new JsonbRefusal('is JSON nested too deeply')
    this.#blanks()
    switch (this.input[this.#at]) {
      case quoteMark:
        return this.#string()
      case 0x7b:
        return this.#object(depth)
      case 0x5b:
        return this.#array(depth)
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
    const { input } = this
    const first = this.#top
    let path: KeyPath | undefined = this.#keys
    this.#at++
    this.#blanks()
    if (input[this.#at] === 0x7d) this.#at++
    else {
      for (;;) {
        this.#blanks()
        path = this.#readKey(path)
        const { a, b } = this
        if (input[this.#at] === quoteMark) this.#string()
        else this.#value(depth + 1)
        const at = this.#push(memberSize)
        const stack = this.#stack
        stack[at] = a
        stack[at + 1] = b
        stack[at + 2] = this.kind
        stack[at + 3] = this.a
        stack[at + 4] = this.b
        this.#blanks()
        const mark = input[this.#at++]
        if (mark === 0x7d) break
        if (mark !== comma) throw invalidJson()
      }
    }
    this.#keepMembers(first, path)
  }

  /**
   * Reads a key with its colon; `b` is -1 where it is a text.
   * @param path of the keys before it
   */
  #readKey(path: KeyPath | undefined): KeyPath | undefined {
    const start = this.#at
    const known = path?.next(this.view, start)
    if (known !== undefined) {
      this.a = start
      this.b = start + known.length
      this.#at = this.b + 1
      return known
    }
    if (this.input[start] !== quoteMark) throw invalidJson()
    this.#string()
    if (this.kind === valueKinds.text) this.b = -1
    this.#blanks()
    if (this.input[this.#at++] !== colon) throw invalidJson()
    return this.b < 0 ? undefined : path?.add(this.view, this.a, this.b)
  }

  #array(depth: number): void {
    const { input } = this
    const first = this.#top
    this.#at++
    this.#blanks()
    if (input[this.#at] === 0x5d) this.#at++
    else {
      for (;;) {
        this.#value(depth + 1)
        const at = this.#push(valueSize)
        const stack = this.#stack
        stack[at] = this.kind
        stack[at + 1] = this.a
        stack[at + 2] = this.b
        this.#blanks()
        const next = input[this.#at++]
        if (next === 0x5d) break
        if (next !== comma) throw invalidJson()
      }
    }
    const size = this.#top - first
    const to = this.#room(size)
    const { slots } = this
    for (let at = 0; at < size; at++) slots[to + at] = this.#stack[first + at] as number
    this.#used += size
    this.#top = first
    this.#is(valueKinds.array, to, size / valueSize)
  }

  /** Puts the members of an object in jsonb's order; of equal keys the last one stays. */
  #keepMembers(first: number, path: KeyPath | undefined): void {
    const stack = this.#stack
    const size = this.#top - first
    const to = this.#room(size)
    const { slots } = this
    const known = path?.order
    const order = known ?? this.#ordered(first)
    const count = size / memberSize
    let used = to
    for (let index = 0; index < count; index++) {
      const member = first + (order[index] as number)
      if (known === undefined && index + 1 < count) {
        if (this.#compare(member, first + (order[index + 1] as number)) === 0) {
          this.loss ??= 'contains a duplicate key in JSON, and jsonb keeps only the last'
          continue
        }
      }
      for (let at = 0; at < memberSize; at++) slots[used++] = stack[member + at] as number
    }
    if (path && used - to === size) path.order ??= order.slice(0, count)
    this.#used = used
    this.#top = first
    this.#is(valueKinds.object, to, (used - to) / memberSize)
  }

  /** Places of members, behind `first`, by their keys. */
  #ordered(first: number): Int32Array {
    const count = (this.#top - first) / memberSize
    if (this.#order.length < count) this.#order = new Int32Array(2 * count)
    const order = this.#order
    for (let index = 0; index < count; index++) order[index] = index * memberSize
    if (count > 24) {
      order.subarray(0, count).sort((a, b) => this.#compare(first + a, first + b) || a - b)
      return order
    }
    // Most objects are small, and in these insertion takes a third of the engine's time.
    for (let index = 1; index < count; index++) {
      const member = order[index] as number
      let place = index
      while (place > 0 && this.#compare(first + (order[place - 1] as number), first + member) > 0) {
        order[place] = order[place - 1] as number
        place--
      }
      order[place] = member
    }
    return order
  }

  /** Two keys by length and then by bytes. */
  #compare(left: number, right: number): number {
    const stack = this.#stack
    const a = stack[left] as number
    const b = stack[right] as number
    const aEnd = stack[left + 1] as number
    const bEnd = stack[right + 1] as number
    if (aEnd < 0 || bEnd < 0) return byLengthThenBytes(this.#key(a, aEnd), this.#key(b, bEnd))
    const length = aEnd - a
    if (length !== bEnd - b) return length - (bEnd - b)
    const { input } = this
    for (let at = 0; at < length; at++) {
      const difference = (input[a + at] as number) - (input[b + at] as number)
      if (difference !== 0) return difference
    }
    return 0
  }

  #key(a: number, b: number): Buffer {
    return b < 0
      ? Buffer.from(JSON.parse(this.texts[a] as string) as string)
      : this.input.subarray(a + 1, b - 1)
  }

  #is(kind: number, a: number, b: number): void {
    this.kind = kind
    this.a = a
    this.b = b
  }

  #text(text: string): void {
    this.#is(valueKinds.text, this.texts.push(text) - 1, 0)
  }

  #push(size: number): number {
    const at = this.#top
    if (at + size > this.#stack.length) this.#stack = larger(this.#stack, at + size)
    this.#top = at + size
    return at
  }

  #room(size: number): number {
    if (this.#used + size > this.slots.length) this.slots = larger(this.slots, this.#used + size)
    return this.#used
  }

  /** A string with its quotes; one with escapes is spelled anew. */
  #string(): void {
    const { input, view } = this
    const start = this.#at
    for (let at = start + 1; ; at += 4) {
      const word = view.getInt32(at, true)
      const low = word ^ 0x02020202
      const slash = word ^ 0x5c5c5c5c
      const ends = (((low - 0x21212121) & ~low) | ((slash - 0x01010101) & ~slash)) & 0x80808080
      if (ends === 0) continue
      at += (31 - Math.clz32(ends & -ends)) >> 3
      const byte = input[at] as number
      if (byte === quoteMark) {
        this.#at = at + 1
        return this.#is(valueKinds.piece, start, at + 1)
      }
      if (byte === backslash) return this.#escapedString(at)
      throw invalidJson()
    }
  }

  #escapedString(firstEscape: number): void {
    const { input } = this
    let at = firstEscape
    for (; input[at] !== quoteMark; at++) {
      if ((input[at] as number) < blank) throw invalidJson()
      if (input[at] === backslash) at++
    }
    const raw = input.toString('utf8', this.#at + 1, at)
    this.#at = at + 1
    this.#text(respelled(raw))
  }

  #number(): void {
    const { input } = this
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
      this.#at = at
      this.#is(valueKinds.piece, start, at)
      return
    }
    const written = input.toString('latin1', start, at)
    const text = numericText(written)
    if (written.startsWith('-') && !text.startsWith('-')) {
      this.loss ??= 'contains -0 in JSON, and jsonb drops the sign'
    }
    this.#at = at
    this.#text(text)
  }

  #digits(from: number): number {
    const { input } = this
    let at = from
    for (;;) {
      const byte = input[at] as number
      if (byte < 0x30 || byte > 0x39) return at
      at++
    }
  }

  #word(word: string): void {
    const start = this.#at
    const { length } = word
    for (let at = 0; at < length; at++) {
      if (this.input[start + at] !== word.charCodeAt(at)) throw invalidJson()
    }
    this.#at = start + length
    this.#is(valueKinds.piece, start, start + length)
  }

  #blanks(): void {
    const { input } = this
    let at = this.#at
    if ((input[at] as number) > blank) return // as in most documents
    for (;;) {
      const byte = input[at] as number
      if (byte > blank || (byte !== blank && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break
      at++
    }
    this.#at = at
  }
}

function byLengthThenBytes(a: Buffer, b: Buffer): number {
  return a.length - b.length || Buffer.compare(a, b)
}

function larger(array: Int32Array, least: number): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(Math.max(2 * array.length, least))
  copy.set(array)
  return copy
}
