import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openSqliteReadonly } from '@outgrow/databases'
import { subscriptions } from '@outgrow/stripe-fake'
import { makeDatabase, temporaryFolder, until, type TestDatabase } from '@outgrow/testing'
import { desktop, launchBrowser, shoot, type BrowserContext, type Page } from '@outgrow/testing/browser'
import { startOutgrow } from '@outgrow/testing/cli'
import { act, comesTo, shows } from '@outgrow/testing/console'
import { Person } from '@outgrow/testing/person'
import { freePorts } from '@outgrow/testing/ports'
import { startProduct, startStripe, type TestStripe } from '@outgrow/testing/product'
import { expect, inject, test } from 'vitest'
import { list } from '../../apps/web/browser/example/list.ts' // example

const root = join(import.meta.dirname, '../..')
const bin = join(root, 'scripts/bin/outgrow.mjs')
const schema = join(root, 'prisma/schema')

test(
  'people, checkouts and webhooks go on while their application graduates, goes back and graduates again',
  { timeout: 900_000 },
  async () => {
    const folder = temporaryFolder()
    const file = join(folder, 'app.db')
    const target = await makeDatabase(inject('postgresUrl'))
    await promisify(execFile)(process.execPath, [bin, 'schema', 'deploy', '--to', `file:${file}`], {
      cwd: root,
    })

    const port = await freePorts()
    // Half of the events arrive twice, and in another order than they happened in.
    const arrived = new Set<string>()
    const answers = new Set<number>()
    await using stripe = await startStripe(port, {
      duplicates: 0.5,
      delayMs: 300,
      onAnswer: ({ id }, status) => {
        arrived.add(id)
        answers.add(status)
      },
    })
    await using product = await startProduct({
      databaseUrl: `file:${file}`,
      postgresUrl: target.url,
      port,
      stripeUrl: stripe.url,
      workDirectory: folder,
    })
    const browser = await launchBrowser()
    const context = await browser.newContext({ ...desktop, colorScheme: 'light' })
    const person = await Person.arrive(context, product.url)
    await person.signUp('Dag Ruiz')
    await person.subscribe('Try Pro')
    await list(person, 'Before the switch') // example

    // With all of this on one machine a pause may be long.
    const more = ['--schema', schema, '--work-dir', folder, '--budget-ms', '60000']
    const graduate = () => startOutgrow(['graduate', '--from', file, '--to', target.url, ...more])
    const first = graduate()
    const owner = await context.newPage()
    await owner.goto(product.consoleUrl)
    await owner.goto(`${new URL(product.consoleUrl).origin}/graduation`)
    await shows(owner, 'following')
    const processes = await reaching(owner)
    expect(processes.map(({ name }) => name)).toEqual([
      'console/dist/main.js',
      'web/dist/main.js',
      'worker/dist/main.js',
    ])

    await using traffic = new Traffic(context, product.url, stripe, arrived)
    const ada = await atCheckout(await browser.newContext(desktop), product.url, 'Ada Sen')
    await traffic.flows()
    await Promise.all([act(owner, 'Cut over', 'cut over'), pay(ada)])
    await comesTo(owner, 'Cut over', /^Switched to Postgres: writes were held for/)
    await shows(owner, 'switched')
    expect((await first.ended).code).toBe(0)
    await traffic.flows()
    expect(await ada.plan()).toContain('Active. It renews on')
    await list(person, 'After the switch') // example
    await settles(stripe, () => inPostgres(target))
    expect(await providers(product)).toEqual(['postgres', 'postgres'])
    await shoot(owner, 'console-live-graduation')

    const grace = await atCheckout(await browser.newContext(desktop), product.url, 'Grace Oh')
    await Promise.all([act(owner, 'Roll back', 'roll back'), pay(grace)])
    await comesTo(owner, 'Roll back', /^Back on SQLite/)
    await shows(owner, 'following')
    await traffic.flows()
    expect(await grace.plan()).toContain('Active. It renews on')
    await settles(stripe, () => inSqlite(file))
    expect(await providers(product)).toEqual(['sqlite', 'sqlite'])

    const second = graduate()
    await second.says('Following')
    const joan = await atCheckout(await browser.newContext(desktop), product.url, 'Joan Paz')
    await Promise.all([act(owner, 'Cut over', 'cut over'), pay(joan)])
    await comesTo(owner, 'Cut over', /^Switched to Postgres/)
    await shows(owner, 'switched')
    expect((await second.ended).code).toBe(0)
    await traffic.flows()
    expect(await joan.plan()).toContain('Active. It renews on')
    expect(await reaching(owner)).toEqual(processes) // nobody was restarted

    await act(owner, 'Complete', 'app.db')
    await comesTo(owner, 'Complete', /there is no way back/)
    await shows(owner, 'completed')
    await traffic.flows()
    await traffic[Symbol.asyncDispose]()
    const end = await settles(stripe, () => inPostgres(target))
    const complaints = complaintsOf(product.output())
    expect({ wrong: traffic.wrong, answers: [...answers], complaints }).toEqual({
      wrong: [],
      answers: [200],
      complaints: [],
    })
    expect(await person.plan()).toContain('On trial until')
    await owner.goto(product.url)
    await owner.getByRole('button', { name: 'Sign out' }).waitFor()

    // Each event is in the inbox once and was processed once; each effect was sent once.
    const outcomes = processed(product.output())
    expect(outcomes.filter(({ outcome }) => ['failed', 'dead', 'unsent'].includes(outcome))).toEqual([])
    const sent = outcomes.filter(({ outcome }) => outcome === 'sent').map(({ id }) => id)
    const events = outcomes.filter(({ outcome }) => outcome !== 'sent').map(({ id }) => id)
    expect({ twice: repeated(events), sentTwice: repeated(sent) }).toEqual({ twice: [], sentTwice: [] })
    const done = end.events.filter(({ status }) => status !== 'ignored') // which the worker never gets
    expect(new Set(done.map(({ status }) => status))).toEqual(new Set(['done']))
    expect(ascending(events)).toEqual(ascending(done.map(({ id }) => id)))
    expect(repeated(end.events.map(({ stripeId }) => stripeId))).toEqual([])
    expect(ascending(sent)).toEqual(ascending(end.messages))
    expect(end.transitions).toEqual(end.subscriptions)
    await browser.close()
    await target.drop()
  },
)

/** The application’s processes, once each of them reaches Postgres. */
async function reaching(page: Page): Promise<{ name: string; pid: string }[]> {
  const rows = page.getByRole('region', { name: 'Processes of the application' }).locator('tbody tr')
  let cells: string[][] = []
  await until(async () => {
    cells = await rows.evaluateAll((all) =>
      all.map((row) => [...row.children].map((cell) => cell.textContent?.trim() ?? '')),
    )
    return cells.length === 3 && cells.every((row) => row[3] === 'yes')
  })
  return cells
    .map(([name = '', pid = '']) => ({ name, pid }))
    .toSorted((a, b) => a.name.localeCompare(b.name))
}

/** Somebody new, who has not paid yet. */
async function atCheckout(context: BrowserContext, url: string, name: string): Promise<Person> {
  const person = await Person.arrive(context, url)
  await person.signUp(name)
  const { page } = person
  await page.goto(`${url}/pricing`)
  await page.getByRole('button', { name: 'Choose Team' }).click()
  await page.getByRole('button', { name: 'Pay', exact: true }).waitFor()
  return person
}

async function pay({ page }: Person): Promise<void> {
  await page.getByRole('button', { name: 'Pay', exact: true }).click()
  await page.getByText('Thank you. Your plan is active.').waitFor()
}

/** A signed-in visitor who reads, and a subscription that changes at Stripe, all the time. */
class Traffic implements AsyncDisposable {
  readonly wrong: string[] = []
  readonly #context: BrowserContext
  readonly #url: string
  readonly #stripe: TestStripe
  readonly #arrived: ReadonlySet<string>
  readonly #running: Promise<void>[]
  #pages = 0
  #isOver = false

  constructor(context: BrowserContext, url: string, stripe: TestStripe, arrived: ReadonlySet<string>) {
    this.#context = context
    this.#url = url
    this.#stripe = stripe
    this.#arrived = arrived
    this.#running = [this.#read(), this.#change()]
  }

  /** Waits until a page was read and an event was sent that began after now. */
  async flows(): Promise<void> {
    const [pages, events] = [this.#pages, this.#stripe.fake.store.events.size]
    await until(() => {
      if (this.wrong.length > 0) throw new Error(this.wrong.join('\n'))
      return this.#pages > pages + 2 && this.#stripe.fake.store.events.size > events + 2
    })
  }

  async #read(): Promise<void> {
    while (!this.#isOver) {
      const answer = await this.#context.request.get(`${this.#url}/billing`)
      const isSignedIn = (await answer.text()).includes('Sign out')
      if (!answer.ok() || !isSignedIn) this.wrong.push(`${answer.status()} ${answer.url()}`)
      this.#pages++
    }
  }

  async #change(): Promise<void> {
    const { store, emit } = this.#stripe.fake
    const [subscription = ''] = [...store.subscriptions.keys()]
    for (let n = 0; !this.#isOver; n++) {
      subscriptions.update(store, emit, store.subscription(subscription), { metadata: { n: String(n) } })
      const [newest = ''] = [...store.events.keys()].slice(-1)
      await until(() => this.#isOver || this.#arrived.has(newest))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#running)
  }
}

/** What is in a database, asked with SQL. */
interface Contents {
  events: { id: number; stripeId: string; status: string }[]
  /** Ids of those that were sent. */
  messages: number[]
  unsent: number
  /** Stripe’s ids of subscriptions, and of those that became active or trialing for the first time, once for each time. */
  subscriptions: string[]
  transitions: string[]
}

const asked = {
  events: `SELECT id, stripe_event_id AS "stripeId", status FROM webhook_events ORDER BY id`,
  messages: `SELECT id FROM outbox_messages WHERE sent_at IS NOT NULL`,
  unsent: `SELECT count(*) AS n FROM outbox_messages WHERE sent_at IS NULL`,
  subscriptions: `SELECT id FROM subscriptions ORDER BY id`,
  transitions: `SELECT subscription_id AS id FROM subscription_transitions WHERE "from" IS NULL ORDER BY 1`,
}

type Rows = Record<string, unknown>[]

async function contents(query: (sql: string) => Rows | Promise<Rows>): Promise<Contents> {
  const [unsent] = await query(asked.unsent)
  const ids = async (sql: string) => (await query(sql)).map(({ id }) => id)
  return {
    events: (await query(asked.events)) as unknown as Contents['events'],
    messages: (await ids(asked.messages)) as number[],
    unsent: Number(unsent?.n),
    subscriptions: (await ids(asked.subscriptions)) as string[],
    transitions: (await ids(asked.transitions)) as string[],
  }
}

const inPostgres = (target: TestDatabase) => contents((sql) => target.query(sql))

async function inSqlite(file: string): Promise<Contents> {
  const database = openSqliteReadonly(file)
  try {
    return await contents((sql) => database.prepare(sql).all() as Rows)
  } finally {
    database.close()
  }
}

/** Waits until everything that has happened at Stripe before now is in the inbox and was worked off. */
async function settles({ fake }: TestStripe, look: () => Promise<Contents>): Promise<Contents> {
  const happened = [...fake.store.events.keys()]
  let seen: Contents | undefined
  await until(async () => {
    seen = await look()
    const waits = ({ status }: { status: string }) => status === 'pending' || status === 'processing'
    const done = new Set(seen.events.filter((event) => !waits(event)).map(({ stripeId }) => stripeId))
    return seen.unsent === 0 && happened.every((id) => done.has(id))
  })
  return seen as Contents
}

/** Which database the web app and the worker say they are on. */
async function providers({ url, workerUrl }: { url: string; workerUrl: string }): Promise<string[]> {
  return Promise.all(
    [url, workerUrl].map(async (one) => {
      const { database } = (await (await fetch(`${one}/health`)).json()) as { database: string }
      return database
    }),
  )
}

/** What the worker logged of each event and message. */
function processed(output: string): { outcome: string; id: number }[] {
  return output.split('\n').flatMap((line) => {
    const json = /^worker\s+(\{.*"msg":"processed".*\})$/.exec(line)?.[1]
    return json === undefined ? [] : [JSON.parse(json) as { outcome: string; id: number }]
  })
}

/** What the web app warns of in its log. */
function complaintsOf(output: string): string[] {
  return output.split('\n').filter((line) => /^web\s+\{"level":[456]0/.test(line))
}

function repeated<Id>(ids: Id[]): Id[] {
  return ids.filter((id, at) => ids.indexOf(id) !== at)
}

function ascending(ids: number[]): number[] {
  return ids.toSorted((a, b) => a - b)
}
