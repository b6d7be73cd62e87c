import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { startEmbeddedPostgres } from '@outgrow/databases'
import { makeProductDatabase, temporaryFolder } from '@outgrow/testing'
import { freePorts } from '@outgrow/testing/ports'
import { startProduct, startStripe, type Product } from '@outgrow/testing/product'
import { Command } from 'commander'
import { textTable } from 'outgrow/output/terminal'

const visitors = 8
const seconds = 8
const secret = 'a secret of the browser tests, long enough'

const pages = [
  { name: 'directory', path: '/' },
  { name: 'search', path: '/?q=LEDGER' },
  { name: 'product', path: '/p/tiny-ledger' },
  { name: 'pricing', path: '/pricing' },
  { name: 'own products, signed in', path: '/mine', signedIn: true },
  { name: 'vote, signed in', path: '/p/tiny-lantern/vote', signedIn: true, posts: true },
]

type Page = (typeof pages)[number]

export const pagesCommand = new Command('pages')
  .description('the main pages of the built example SaaS with eight concurrent visitors, on both databases')
  .action(benchPages)

async function benchPages(): Promise<void> {
  const server = await startEmbeddedPostgres({ directory: temporaryFolder() })
  try {
    const rows: (string | number)[][] = []
    for (const provider of ['sqlite', 'postgres'] as const)
      rows.push(...(await measure(provider, server.url)))
    const head = ['page', 'database', 'answers/s', 'p50 ms', 'p99 ms', 'kB', 'kB gzip']
    process.stdout.write(`${textTable(head, rows).join('\n')}\n`)
  } finally {
    await server.stop()
  }
}

async function measure(provider: 'sqlite' | 'postgres', serverUrl: string): Promise<(string | number)[][]> {
  const database = await makeProductDatabase(provider, serverUrl)
  execFileSync(process.execPath, [join(import.meta.dirname, '../../apps/web/src/seed.ts')], {
    env: { ...process.env, DATABASE_URL: database.url, AUTH_SECRET: secret },
  })
  const port = await freePorts()
  await using stripe = await startStripe(port)
  await using product = await startProduct({
    databaseUrl: database.url,
    port,
    stripeUrl: stripe.url,
    workDirectory: temporaryFolder(),
    logLevel: 'warn',
  })
  const cookie = await signIn(product)
  const rows: (string | number)[][] = []
  for (const page of pages) {
    await visit(product, page, cookie, 1) // warm
    rows.push([page.name, provider, ...(await visit(product, page, cookie, seconds))])
  }
  return rows
}

async function signIn({ url }: Product): Promise<string> {
  const answer = await fetch(`${url}/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: url, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ email: 'demo@example.com', password: 'outgrow-demo' }),
  })
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ')
}

async function visit({ url }: Product, { path, signedIn, posts }: Page, cookie: string, forSeconds: number) {
  const times: number[] = []
  let bytes = Buffer.alloc(0)
  const ends = performance.now() + forSeconds * 1000
  const one = async () => {
    while (performance.now() < ends) {
      const started = performance.now()
      const answer = await fetch(url + path, {
        method: posts ? 'POST' : 'GET',
        redirect: 'manual',
        headers: {
          ...(signedIn ? { cookie } : {}),
          ...(posts ? { origin: url, 'content-type': 'application/x-www-form-urlencoded' } : {}),
        },
        ...(posts ? { body: 'a=1' } : {}),
      })
      bytes = Buffer.from(await answer.arrayBuffer())
      times.push(performance.now() - started)
      if (answer.status >= 400) throw new Error(`${path} answered ${answer.status}`)
    }
  }
  await Promise.all(Array.from({ length: visitors }, one))
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? 0) * 10) / 10
  const kilobytes = (size: number) => Math.round(size / 100) / 10
  return [
    Math.round(times.length / forSeconds),
    at(0.5),
    at(0.99),
    kilobytes(bytes.length),
    kilobytes(bytes.length === 0 ? 0 : gzipSync(bytes).length),
  ]
}
