/** Gives out names that Prisma takes and that are not taken yet. */
export class Names {
  readonly #taken: Set<string>

  /** @param reserved names that are never given out */
  constructor(reserved: string[] = []) {
    this.#taken = new Set(reserved.map((name) => name.toLowerCase()))
  }

  /** `order items` becomes `OrderItems`. */
  model(table: string): string {
    const name = words(table).map(capital).join('')
    return this.#free(/^[A-Za-z]/.test(name) ? name : `Table${name}`)
  }

  /** A field keeps its column's name where that is an identifier. */
  field(column: string): string {
    if (/^[A-Za-z][A-Za-z0-9_]*$/.test(column)) return this.#free(column)
    const [first = '', ...rest] = words(column)
    const name = first.toLowerCase() + rest.map(capital).join('')
    return this.#free(/^[A-Za-z]/.test(name) ? name : `column${capital(name)}`)
  }

  relation(wanted: string): string {
    return this.#free(wanted.charAt(0).toLowerCase() + wanted.slice(1))
  }

  #free(wanted: string): string {
    let name = wanted
    for (let number = 2; this.#taken.has(name.toLowerCase()); number++) name = `${wanted}${number}`
    this.#taken.add(name.toLowerCase())
    return name
  }
}

function words(text: string): string[] {
  return text.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

/** Prisma's own types, which no model may be called. */
export const reservedModelNames =
  'String Boolean Int BigInt Float Decimal DateTime Json Bytes Unsupported PrismaClient Prisma'.split(' ')
