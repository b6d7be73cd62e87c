import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { directUrlOf, providers, type Fact, type ManagedProvider } from '@outgrow/databases'
import { expect, test } from 'vitest'

const path = join(import.meta.dirname, '../../docs/providers.md')
const marks = [
  '<!-- written from packages/databases/src/providers by scripts/test/docs-providers.test.ts -->',
  '<!-- until here -->',
]

const roots = { system: 'the system’s', file: 'a file of its own', unknown: 'not known' } as const

const marked = ({ text, isUnconfirmed }: Fact) => (isUnconfirmed === true ? `${text} **?**` : text)

/** What to do with a pooled URL for a move. */
function wayOf({ examples, unsupported, whereDirect }: ManagedProvider): string {
  if (unsupported) return 'not supported'
  const pooled = examples.find(({ endpoint: { pool } }) => pool === 'transaction')
  if (!pooled) return whereDirect ?? 'there is no pooled host'
  const direct = directUrlOf(pooled.url)
  if (direct === undefined) return whereDirect ?? ''
  const [from, to] = [new URL(pooled.url), new URL(direct)]
  const part =
    from.hostname === to.hostname
      ? (url: URL) => `:${url.port}`
      : (url: URL) => url.hostname.split('.')[0] ?? ''
  return `\`${part(from)}\` becomes \`${part(to)}\``
}

function tableOf(all: readonly ManagedProvider[]): string[] {
  return [
    '| provider | known by | from its pooled host to the direct one | root certificate | free plan |',
    '| --- | --- | --- | --- | --- |',
    ...all.map((provider) =>
      [
        '',
        provider.title,
        marked({ ...provider.hosts, text: `\`${provider.hosts.text.replaceAll(', ', '`, `')}\`` }),
        wayOf(provider),
        roots[provider.roots],
        provider.free ? `${provider.free.sizeBytes / 1e9} GB` : '',
        '',
      ]
        .join(' | ')
        .trim(),
    ),
  ]
}

function factsOf(provider: ManagedProvider): string[] {
  const { unsupported, pooling, network, tls, role, limits, free, sleeps, pauses, backups } = provider
  const facts = {
    'Not supported': unsupported,
    Pooling: pooling,
    Network: network,
    TLS: tls,
    Role: role,
    Limits: limits,
    'Free plan': free?.fact,
    Sleeps: sleeps,
    Pauses: pauses,
    Backups: backups,
  }
  const lines = Object.entries(facts).flatMap(([name, fact]) =>
    fact === undefined ? [] : [`- ${name}: ${marked(fact)} [source](${fact.source})`],
  )
  return ['', `### ${provider.title}`, '', ...lines]
}

const sorted = providers.toSorted((one, other) => one.title.localeCompare(other.title, 'en'))
const written = [...tableOf(sorted), ...sorted.flatMap(factsOf)].join('\n')

/** As the formatter leaves it: tables are padded. */
const plain = (text: string) =>
  text
    .split('\n')
    .map((line) =>
      line
        .replaceAll(/\s*\|\s*/g, '|')
        .replaceAll(/-{3,}/g, '---')
        .trim(),
    )
    .filter((line) => line !== '')

/** `OUTGROW_WRITE_DOCS=1 vitest run scripts/test/docs-providers` writes it again. */
test('docs/providers.md says what the product knows of each provider, and no more', () => {
  const [before = '', rest = ''] = readFileSync(path, 'utf8').split(marks[0] as string)
  const [inside = '', after = ''] = rest.split(marks[1] as string)
  if (process.env.OUTGROW_WRITE_DOCS === '1') {
    writeFileSync(path, `${before}${marks[0]}\n\n${written}\n\n${marks[1]}${after}`)
  }
  expect(process.env.OUTGROW_WRITE_DOCS === '1' ? plain(written) : plain(inside)).toEqual(plain(written))
})
