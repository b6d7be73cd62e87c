import type { BinaryWriter } from '../binary-writer.ts'
import { KeyPath } from './key-path.ts'
import { JsonTree, memberSize, valueKinds, valueSize } from './tree.ts'

/** `, ` and `: ` */
const comma = 0x2c20
const colon = 0x3a20
/** From this length on the engine copies bytes quicker than a loop. */
const longPiece = 64

/** Writes the values of a tree as Postgres writes `jsonb`: `": "` and `", "`, and no other blanks. */
class JsonbPrinter {
  readonly tree = new JsonTree()
  #output: Buffer = Buffer.alloc(0)
  #view = new DataView(this.#output.buffer)
  #to = 0

  print(writer: BinaryWriter): void {
    const { tree } = this
    // A colon or a comma grows by one blank; nothing else grows but what is spelled anew.
    const anew = tree.texts.reduce((sum, { length }) => sum + 3 * length, 0)
    writer.ensure(2 * tree.length + anew + 16)
    if (this.#output !== writer.buffer) {
      this.#output = writer.buffer
      this.#view = new DataView(this.#output.buffer)
    }
    this.#to = writer.at
    this.#value(tree.kind, tree.a, tree.b)
    writer.at = this.#to
  }

  #value(kind: number, a: number, b: number): void {
    if (kind === valueKinds.piece) this.#piece(a, b)
    else if (kind === valueKinds.object) this.#object(a, b)
    else if (kind === valueKinds.array) this.#array(a, b)
    else this.#text(a)
  }

  #object(first: number, count: number): void {
    const { slots } = this.tree
    const output = this.#output
    output[this.#to++] = 0x7b
    for (let index = 0, at = first; index < count; index++, at += memberSize) {
      if (index > 0) this.#separate(comma)
      const end = slots[at + 1] as number
      if (end < 0) this.#text(slots[at] as number)
      else this.#piece(slots[at] as number, end)
      this.#separate(colon)
      this.#value(slots[at + 2] as number, slots[at + 3] as number, slots[at + 4] as number)
    }
    output[this.#to++] = 0x7d
  }

  #array(first: number, count: number): void {
    const { slots } = this.tree
    const output = this.#output
    output[this.#to++] = 0x5b
    for (let index = 0, at = first; index < count; index++, at += valueSize) {
      if (index > 0) this.#separate(comma)
      this.#value(slots[at] as number, slots[at + 1] as number, slots[at + 2] as number)
    }
    output[this.#to++] = 0x5d
  }

  #separate(marks: number): void {
    this.#view.setInt16(this.#to, marks)
    this.#to += 2
  }

  #piece(from: number, end: number): void {
    const { input, view } = this.tree
    const length = end - from
    const to = this.#to
    if (length > longPiece) input.copy(this.#output, to, from, end)
    else {
      // In words, of which the last may be too long: what comes next is written over it.
      const output = this.#view
      for (let at = 0; at < length; at += 4) output.setInt32(to + at, view.getInt32(from + at))
    }
    this.#to = to + length
  }

  #text(index: number): void {
    this.#to += this.#output.write(this.tree.texts[index] as string, this.#to, 'utf8')
  }
}

const printer = new JsonbPrinter()

/**
 * Writes a JSON text as Postgres would give it back from `jsonb`, without a length before it: keys by length and bytes, the
 * last of equal keys, numbers as `numeric` writes them. So two equal documents have one text, and no digit is lost. Returns
 * what `jsonb` drops of it, if anything, as a reason.
 * @param source the text, or its valid UTF-8
 * @param keys before any, kept for the documents of a column
 * @throws JsonbRefusal; what was written until then is to be dropped
 */
export function writeJsonbText(
  source: string | Uint8Array,
  writer: BinaryWriter,
  keys: KeyPath = KeyPath.root(),
): string | undefined {
  const { tree } = printer
  try {
    tree.read(source, keys)
    printer.print(writer)
    return tree.loss
  } finally {
    tree.shrink()
  }
}
