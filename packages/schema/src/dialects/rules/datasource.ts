import { relative } from 'node:path'
import { knownPreviewFeatures } from '../../engine/prisma-wasm.ts'
import { quotePsl } from '../../psl/parse.ts'
import type { Property } from '../../psl/syntax.ts'
import { connectionProperties } from '../../source.ts'
import { note, sourceText, type RuleContext } from '../context.ts'

const providerNames = { sqlite: 'sqlite', postgres: 'postgresql' } as const
const postgresProperties = new Set(['extensions', 'schemas'])
const postgresPreviews = new Set(['fullTextSearchPostgres', 'postgresqlExtensions'])

/** The datasource names its dialect; addresses live in prisma.config.ts since Prisma 7. */
export function datasourceRule(context: RuleContext): void {
  for (const property of properties(context)) {
    if (property.name === 'provider' && property.value) {
      context.edits.replace(property.value, quotePsl(providerNames[context.target]))
    } else if (connectionProperties.has(property.name)) {
      context.edits.removeLines(property)
      note(context, {
        code: 'OUTGROW_SCHEMA_CONNECTION_URL',
        at: property,
        feature: property.name,
        action: 'dropped',
        reason: 'Prisma 7 reads addresses from prisma.config.ts or the adapter, not from the schema.',
      })
    } else if (context.target === 'sqlite' && postgresProperties.has(property.name)) {
      context.edits.removeLines(property)
      note(context, {
        code: 'OUTGROW_SCHEMA_POSTGRES_ONLY',
        at: property,
        feature: sourceText(context, property),
        action: 'dropped',
        reason: `SQLite has no ${property.name}.`,
      })
    }
  }
}

/** Generators stay; a relative output moves with the file, one folder a dialect. */
export function generatorRule(
  context: RuleContext & { outputDirectory: string; sourceDirectory: string },
): void {
  for (const property of properties(context)) {
    const value = property.value
    if (property.name === 'output' && value?.kind === 'string' && !value.value.startsWith('/')) {
      const moved = relative(context.outputDirectory, `${context.sourceDirectory}/${value.value}`)
      const text = `${moved.startsWith('.') ? moved : `./${moved}`}/${context.target}`.replaceAll('\\', '/')
      context.edits.replace(value, quotePsl(text))
      note(context, {
        code: 'OUTGROW_SCHEMA_GENERATOR_OUTPUT',
        at: property,
        feature: sourceText(context, property),
        action: 'rewritten',
        reason: `Each dialect's client has a folder of its own: ${text}`,
        suggestion: `// outgrow:${context.target} output = "..." on the line above puts it elsewhere.`,
      })
    }
    if (property.name === 'previewFeatures' && value?.kind === 'array') {
      const known = knownPreviewFeatures()
      const kept = value.items.filter((item) => {
        const name = item.kind === 'string' ? item.value : ''
        const dropped = postgresPreviews.has(name) ? context.target === 'sqlite' : !known.has(name)
        if (dropped) {
          note(context, {
            code: 'OUTGROW_SCHEMA_PREVIEW_FEATURE',
            at: item,
            feature: name,
            action: 'dropped',
            reason: postgresPreviews.has(name)
              ? 'This preview exists for Postgres only.'
              : 'This Prisma has no such preview feature (it became standard or was removed).',
          })
        }
        return !dropped
      })
      if (kept.length === 0) context.edits.removeLines(property)
      else if (kept.length < value.items.length) {
        context.edits.replace(value, `[${kept.map((item) => sourceText(context, item)).join(', ')}]`)
      }
    }
  }
}

function properties(context: RuleContext): Property[] {
  return context.block.members.filter((member) => member.kind === 'property')
}
