import { postgresTokens, type PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { StoredMigration } from './history.ts'

/** Names by which an extension is known that is not there yet: a server does not say whose they would be. */
const types: [RegExp, string][] = [
  [/^citext$/, 'citext'],
  [/^hstore$/, 'hstore'],
  [/^l(tree|query|txtquery)$/, 'ltree'],
  [/^cube$/, 'cube'],
  [/^(half|sparse)?vec(tor)?$/, 'vector'],
  [/^(geometry|geography|box2d|box3d)$/, 'postgis'],
  [/^earth$/, 'earthdistance'],
]
const operatorClasses: [RegExp, string][] = [
  [/^(gin|gist)_trgm_ops$/, 'pg_trgm'],
  [/^(vector|halfvec|sparsevec)_(l2|ip|cosine|l1)_ops$/, 'vector'],
  [/^gin__int_ops$/, 'intarray'],
  [/^gist_geometry_ops_(2d|nd)$/, 'postgis'],
]
const functions: [RegExp, string][] = [
  [/^uuid_(generate_v\w+|nil|ns_\w+)$/, 'uuid-ossp'],
  [/^(gen_random_bytes|crypt|gen_salt|hmac|digest|pgp_(sym|pub)_\w+|armor)$/, 'pgcrypto'],
  [/^(similarity|word_similarity|strict_word_similarity|show_trgm)$/, 'pg_trgm'],
  [/^st_\w+$/, 'postgis'],
  [/^unaccent$/, 'unaccent'],
  [/^(ll_to_earth|earth_distance|earth_box)$/, 'earthdistance'],
  [/^(levenshtein|soundex|metaphone|dmetaphone)$/, 'fuzzystrmatch'],
]
/** Behind these words stands the name of something, never a type. */
const namesFollow =
  /^(add|rename|column|table|to|on|as|select|where|and|or|set|into|drop|from|by|constraint|index|update|exists|returning|using)$/

/** The extensions that migrations use, with the place of the first use, and those that they make themselves. */
interface ExtensionUse {
  name: string
  migration: string
  /** 1-based line of the migration. */
  line: number
  made: boolean
  /** The type, function or operator class that gave it away. */
  word: string | undefined
}

/** Which extensions the migrations need. A name that they create themselves (a type, a function, a column) is no sign of one. */
function extensionsOf(migrations: StoredMigration[]): ExtensionUse[] {
  const uses = new Map<string, ExtensionUse>()
  const own = new Set<string>()
  for (const { name: migration, sql } of migrations) {
    let line = 1
    let counted = 0
    const words: string[] = []
    for (const { kind, start, end } of postgresTokens(sql)) {
      line += sql.slice(counted, start).split('\n').length - 1
      counted = start
      if (kind !== 'word' && kind !== 'name') {
        words.push(sql.slice(start, end))
        continue
      }
      const word =
        kind === 'name'
          ? sql.slice(start + 1, end - 1).replaceAll('""', '"')
          : sql.slice(start, end).toLowerCase()
      const before = words.slice(-5).join(' ')
      words.push(word)
      if (/\bcreate extension( if( not)?)?$/.test(before) && /^(if|not|exists)$/.test(word)) continue
      if (/\bcreate extension( if not exists)?$/.test(before)) {
        uses.set(word, {
          ...(uses.get(word) ?? { name: word, migration, line, word: undefined }),
          made: true,
        })
        continue
      }
      if (
        /\b(create( or replace)? (function|aggregate|type|domain|table|view|index)|table|column|on|as)$/.test(
          before,
        )
      ) {
        own.add(word)
        continue
      }
      const previous = words.at(-2) ?? ''
      const isCall = /^\s*\(/.test(sql.slice(end, end + 20))
      const isBehindName = /\w$/.test(previous) && !namesFollow.test(previous)
      const lists = [
        isBehindName || previous === ':' ? types : [],
        isBehindName ? operatorClasses : [],
        isCall ? functions : [],
      ]
      const bringer = lists.flat().find(([pattern]) => pattern.test(word))?.[1]
      if (bringer === undefined || own.has(word) || uses.has(bringer)) continue
      uses.set(bringer, { name: bringer, migration, line, made: false, word })
    }
  }
  return [...uses.values()]
}

interface Available {
  name: string
  installed: boolean
  /** Whether this role may create it. */
  allowed: boolean
}

/**
 * Finds missing extensions before anything runs; makes them where that is wished.
 * @returns the names of those that were made
 * @throws Failure OUTGROW_EXTENSION_MISSING
 */
export async function provideExtensions(
  client: PostgresClient,
  migrations: StoredMigration[],
  create: boolean,
): Promise<string[]> {
  const found = extensionsOf(migrations)
  if (found.length === 0) return []
  const { rows: there } = await client.query<{ name: string }>(
    'SELECT typname AS name FROM pg_type UNION SELECT proname FROM pg_proc UNION SELECT opcname FROM pg_opclass',
  )
  const known = new Set(there.map(({ name }) => name))
  const uses = found.filter(({ made, word }) => made || word === undefined || !known.has(word))
  const { rows } = await client.query<Available>(
    `SELECT e.name, e.installed_version IS NOT NULL AS installed,
            current_setting('is_superuser') = 'on' OR (v.trusted AND has_database_privilege(current_database(), 'CREATE')) AS allowed
       FROM pg_available_extensions e JOIN pg_available_extension_versions v ON v.name = e.name AND v.version = e.default_version
      WHERE e.name = ANY($1)`,
    [uses.map(({ name }) => name)],
  )
  const missing = uses.filter((use) => rows.find((row) => row.name === use.name)?.installed !== true)
  const absent = missing.filter((use) => !rows.some((row) => row.name === use.name))
  if (absent.length > 0) {
    throw new Failure({
      code: 'OUTGROW_EXTENSION_MISSING',
      message: `This server has no ${names(absent)}, which ${placesOf(absent)}.`,
      why: 'An extension is software on the server’s machine (pg_available_extensions lists what it has).',
      fix: 'Install it there, or use a server or a provider that has it. Nothing was run.',
    })
  }
  const forbidden = missing.filter((use) => rows.find((row) => row.name === use.name)?.allowed !== true)
  const unmade = missing.filter(({ made }) => !made)
  if (forbidden.length > 0 || (unmade.length > 0 && !create)) {
    const list = [...new Set([...forbidden, ...(create ? [] : unmade)])]
    throw new Failure({
      code: 'OUTGROW_EXTENSION_MISSING',
      message: `This database lacks ${names(list)}, which ${placesOf(list)}.`,
      why: forbidden.length > 0 ? 'This role may not create it.' : 'No migration creates it.',
      fix: `Run ${list.map(({ name }) => `CREATE EXTENSION "${name}";`).join(' ')} ${forbidden.length > 0 ? 'as a role that may, such as the owner or a superuser' : 'or pass --create-extensions'}. Nothing was run.`,
    })
  }
  for (const { name } of unmade)
    await client.query(`CREATE EXTENSION IF NOT EXISTS "${name.replaceAll('"', '""')}"`)
  return unmade.map(({ name }) => name)
}

const names = (uses: ExtensionUse[]): string => `extension ${uses.map(({ name }) => name).join(', ')}`

const placesOf = (uses: ExtensionUse[]): string =>
  uses
    .map(({ migration, line, made }) => `${migration} ${made ? 'creates' : 'needs'} at line ${line}`)
    .join(', ')
