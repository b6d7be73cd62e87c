import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { detachedEngineAdapter, quoteIdentifier, type SchemaEngineAdapter } from '@outgrow/databases'
import { Edits } from '../psl/edit.ts'
import { engineText } from './engine-text.ts'
import { parsePrismaFile, quotePsl } from '../psl/parse.ts'
import { argumentOf, attributeOf, fieldsOf, stringOf, type Field } from '../psl/syntax.ts'
import type { DiffTarget, SchemaEngine } from '@prisma/schema-engine-wasm'

export type Provider = 'sqlite' | 'postgres'

type EngineModule = typeof import('@prisma/schema-engine-wasm')
let loading: Promise<EngineModule> | undefined

async function engineModule(): Promise<EngineModule> {
  const module = (await import('@prisma/schema-engine-wasm/schema_engine_bg')) as unknown as EngineModule & {
    __wbg_set_wasm(exports: WebAssembly.Exports): void
  }
  const entry = fileURLToPath(import.meta.resolve('@prisma/schema-engine-wasm'))
  const bytes = readFileSync(entry.replace(/schema_engine\.js$/, 'schema_engine_bg.wasm'))
  const { instance } = await WebAssembly.instantiate(bytes, {
    './schema_engine_bg.js': withoutWaiting(module),
  })
  module.__wbg_set_wasm(instance.exports)
  ;(instance.exports.__wbindgen_start as () => void)()
  return module
}

/** The engine leaves a timer of ten seconds behind each lock that it took: nobody is to wait for that. */
function withoutWaiting(imports: WebAssembly.ModuleImports): WebAssembly.ModuleImports {
  const timers = Object.keys(imports).filter((name) => name.startsWith('__wbg_setTimeout_'))
  const unref = (callback: () => void, ms: number) => setTimeout(callback, ms >>> 0).unref()
  return { ...imports, ...Object.fromEntries(timers.map((name) => [name, unref])) }
}

/** Begins to load Prisma's schema engine (WebAssembly). */
export function loadSchemaEngine(): Promise<EngineModule> {
  loading ??= engineModule()
  return loading
}

/** Runs `use` with Prisma's schema engine over an adapter. */
export async function withSchemaEngine<Result>(
  adapter: SchemaEngineAdapter,
  use: (engine: SchemaEngine) => Promise<Result>,
): Promise<Result> {
  const { SchemaEngine } = await loadSchemaEngine()
  const engine = await SchemaEngine.new({ datamodels: undefined }, () => {}, adapter)
  try {
    return await use(engine)
  } finally {
    engine.free()
  }
}

/**
 * The SQL that leads from one datamodel (none: from an empty database) to another.
 * Prisma does not double a quote inside a mapped name, and forgets that a BigInt may count itself on SQLite; both are mended.
 */
export async function diffDatamodels(
  provider: Provider,
  from: string | undefined,
  to: string,
): Promise<string> {
  return withSchemaEngine(detachedEngineAdapter(provider), (engine) =>
    diffWith(engine, provider, from === undefined ? { tag: 'empty' } : datamodelOf(from), to),
  )
}

/** The SQL that leads from where an engine's database is to a datamodel. */
export function diffFromDatabase(engine: SchemaEngine, provider: Provider, to: string): Promise<string> {
  const text = engineText('schema.prisma', to)
  // Schemas beside `public` are read only where the datasource names them.
  const content = /^datasource\s[^}]*\}/m.exec(text)?.[0] ?? text
  const from = {
    tag: 'schemaDatasource' as const,
    configDir: '.',
    files: [{ path: 'schema.prisma', content }],
  }
  return diffWith(engine, provider, from, to)
}

function datamodelOf(text: string): { tag: 'schemaDatamodel'; files: { path: string; content: string }[] } {
  const content = hideQuotesInNames(engineText('schema.prisma', text))
  return { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content }] }
}

async function diffWith(
  engine: SchemaEngine,
  provider: Provider,
  from: DiffTarget,
  to: string,
): Promise<string> {
  const { stdout } = await engine.diff({
    from,
    to: datamodelOf(to),
    script: true,
    exitCode: null,
    filters: { externalTables: [], externalEnums: [] },
  })
  const sql = (stdout ?? '').replaceAll(hiddenQuote, '""')
  return provider === 'sqlite' ? countBigIntKeys(sql, to) : sql
}

/** A private-use character that stands for a quote while the engine writes the SQL. */
const hiddenQuote = '\uE022'

function hideQuotesInNames(text: string): string {
  if (!text.includes('\\"')) return text
  const edits = new Edits(text)
  for (const block of parsePrismaFile('schema.prisma', text).blocks) {
    for (const member of block.members) {
      const attributes =
        member.kind === 'attribute' ? [member.attribute] : member.kind === 'property' ? [] : member.attributes
      for (const attribute of attributes) {
        const mapsItself = attribute.name === 'map'
        const name = argumentOf(attribute, mapsItself ? 'name' : 'map', mapsItself)
        if (name?.value.kind === 'string') {
          edits.replace(name.value, quotePsl(name.value.value.replaceAll('"', hiddenQuote)))
        }
      }
    }
  }
  return edits.apply()
}

/** `BIGINT PRIMARY KEY` does not count in SQLite; `INTEGER PRIMARY KEY AUTOINCREMENT` does, and holds 64 bits. */
function countBigIntKeys(sql: string, schema: string): string {
  let mended = sql
  for (const block of parsePrismaFile('schema.prisma', schema).blocks) {
    if (block.kind !== 'model') continue
    for (const field of fieldsOf(block)) {
      if (field.type !== 'BigInt' || !attributeOf(field, 'id') || !counts(field)) continue
      const mapped = block.members.find((m) => m.kind === 'attribute' && m.attribute.name === 'map')
      const table =
        (mapped?.kind === 'attribute' && stringOf(argumentOf(mapped.attribute, 'name', true))) || block.name
      const column = stringOf(argumentOf(attributeOf(field, 'map'), 'name', true)) ?? field.name
      // SQLite rebuilds a table under the name new_<table>
      for (const name of [table, `new_${table}`]) {
        const head = `CREATE TABLE ${quoteIdentifier(name)} (`
        const start = mended.indexOf(head)
        if (start < 0) continue
        const before = `${quoteIdentifier(column)} BIGINT NOT NULL PRIMARY KEY`
        const at = mended.indexOf(before, start)
        if (at < 0) continue
        mended = `${mended.slice(0, at)}${quoteIdentifier(column)} INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT${mended.slice(at + before.length)}`
      }
    }
  }
  return mended
}

function counts(field: Field): boolean {
  const value = argumentOf(attributeOf(field, 'default'), 'value', true)?.value
  return value?.kind === 'call' && value.name === 'autoincrement'
}
