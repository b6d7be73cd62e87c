import { postgresTokens, type PostgresClient } from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
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
  /^(add|all|and|any|as|between|by|case|check|column|constraint|default|delete|distinct|drop|else|end|except|exists|from|function|group|having|if|in|index|insert|intersect|into|is|join|key|like|limit|not|null|offset|on|only|or|order|over|partition|primary|references|rename|returning|select|set|table|then|to|trigger|union|unique|update|using|values|view|when|where|with)$/
/** Behind these words a migration makes or names something of its own. */
const ownFollow =
  /\b(create( or replace)? (function|procedure|aggregate|type|domain|table|view|index)|table|column|on|as)( if not exists)?( only)?( \S+ \.)?$/

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
      const before = words.slice(-8).join(' ')
      words.push(word)
      if (/\bcreate extension( if( not)?)?$/.test(before) && /^(if|not|exists)$/.test(word)) continue
      if (/\bcreate extension( if not exists)?$/.test(before)) {
        uses.set(word, {
          ...(uses.get(word) ?? { name: word, migration, line, word: undefined }),
          made: true,
        })
        continue
      }
      if (ownFollow.test(before)) {
        own.add(word)
        continue
      }
      // `public.citext` stands where `citext` would.
      const previous = (words.at(-2) === '.' ? words.at(-4) : words.at(-2)) ?? ''
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
}

/**
 * Finds missing extensions before anything runs; makes them where that is wished.
 * @returns the names of those that were made
 * @throws Failure OUTGROW_EXTENSION_MISSING
 */
export async function ensureExtensions(
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
    'SELECT name, installed_version IS NOT NULL AS installed FROM pg_available_extensions WHERE name = ANY($1)',
    [uses.map(({ name }) => name)],
  )
  const missing = uses.filter((use) => rows.find((row) => row.name === use.name)?.installed !== true)
  const absent = missing.filter((use) => !rows.some((row) => row.name === use.name))
  if (absent.length > 0) {
    throw new Failure({
      code: 'OUTGROW_EXTENSION_MISSING',
      message: `This server has no ${names(absent)}, which ${placesOf(absent)}.`,
      why: 'An extension must be installed on the server’s machine (pg_available_extensions lists those it has).',
      fix: 'Install it there, or use a server that has it. Nothing was run.',
    })
  }
  // Whether a role may create one, managed servers decide in ways of their own: a migration that does so is let try.
  const unmade = missing.filter(({ made }) => !made)
  if (unmade.length > 0 && !create)
    throw lacking(unmade, 'No migration creates it.', 'or pass --create-extensions')
  for (const use of unmade) {
    try {
      await client.query(`CREATE EXTENSION IF NOT EXISTS "${use.name.replaceAll('"', '""')}"`)
    } catch (error) {
      throw lacking(
        [use],
        messageOf(error),
        'as a role with that privilege, such as the owner or a superuser',
      )
    }
  }
  return unmade.map(({ name }) => name)
}

function lacking(uses: ExtensionUse[], why: string, how: string): Failure {
  return new Failure({
    code: 'OUTGROW_EXTENSION_MISSING',
    message: `This database lacks ${names(uses)}, which ${placesOf(uses)}.`,
    why,
    fix: `Run ${uses.map(({ name }) => `CREATE EXTENSION "${name}";`).join(' ')} ${how}. Nothing was run.`,
  })
}

const names = (uses: ExtensionUse[]): string => `extension ${uses.map(({ name }) => name).join(', ')}`

const placesOf = (uses: ExtensionUse[]): string =>
  uses
    .map(({ migration, line, made }) => `${migration} ${made ? 'creates' : 'needs'} at line ${line}`)
    .join(', ')
