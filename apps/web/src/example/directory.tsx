import type { Hono } from 'hono'
import { isStage, StageMark, stages } from './stage.tsx'
import { perPage, searchListings, type Row, type Search } from './listings.ts'
import type { Services, WebEnvironment } from '../services.ts'
import { Layout } from '../views/layout.tsx'

/** The directory: search, stages, pages. */
export function directoryPages(app: Hono<WebEnvironment>, { database }: Services): void {
  app.get('/', async (context) => {
    const stage = context.req.query('stage')
    const search: Search = {
      text: (context.req.query('q') ?? '').trim().slice(0, 100),
      stage: isStage(stage) ? stage : undefined,
      page: Math.min(1000, Math.max(1, Math.trunc(Number(context.req.query('page') ?? 1)) || 1)),
    }
    const found = await searchListings(database, search)
    return context.html(
      <Layout
        visitor={context.get('visitor')}
        title="Stages"
        description="A directory of indie products at every stage from SQLite to Postgres."
      >
        <section class="hero">
          <h1>Indie products, wherever they stand</h1>
          <p>
            From the first row in an SQLite file to the day it moved to Postgres. Vote for those you would
            use.
          </p>
          <SearchForm {...search} />
        </section>
        {found.top.length > 0 && (
          <section aria-labelledby="featured">
            <h2 id="featured">Featured</h2>
            <ul class="featured">
              {found.top.map((row) => (
                <li>
                  <h3>
                    <a href={`/p/${row.slug}`}>{row.name}</a>
                  </h3>
                  <p>{row.tagline}</p>
                  <StageMark stage={row.stage} />
                </li>
              ))}
            </ul>
          </section>
        )}
        <section aria-labelledby="all">
          <div class="head">
            <h2 id="all">{search.text === '' ? 'All products' : `Found for “${search.text}”`}</h2>
            <p class="quiet">
              {found.total === 1 ? '1 product' : `${found.total.toLocaleString('en-US')} products`}
            </p>
          </div>
          {found.rows.length === 0 ? (
            <p class="empty">
              Nothing here yet. <a href="/list">List your product</a>
            </p>
          ) : (
            <ol class="rows" start={(search.page - 1) * perPage + 1}>
              {found.rows.map((row) => (
                <ListingRow row={row} />
              ))}
            </ol>
          )}
          <Pages search={search} pages={found.pages} />
        </section>
      </Layout>,
    )
  })
}

function SearchForm({ text, stage }: Search) {
  return (
    <form role="search" class="search" action="/">
      <label class="hidden" for="q">
        Search products
      </label>
      <input id="q" type="search" name="q" value={text} placeholder="Search by name or what it does" />
      <label class="hidden" for="stage">
        Stage
      </label>
      <select id="stage" name="stage">
        <option value="">Any stage</option>
        {stages.map((one) => (
          <option value={one.stage} selected={one.stage === stage}>
            {one.label}
          </option>
        ))}
      </select>
      <button>Search</button>
    </form>
  )
}

function ListingRow({ row }: { row: Row }) {
  return (
    <li>
      <form method="post" action={`/p/${row.slug}/vote`}>
        <button class="vote" aria-label={`Vote for ${row.name}, ${row.voteCount} votes`}>
          <span aria-hidden="true">▲</span>
          {row.voteCount}
        </button>
      </form>
      <div>
        <h3>
          <a href={`/p/${row.slug}`}>{row.name}</a>
        </h3>
        <p>{row.tagline}</p>
      </div>
      <div class="side">
        <StageMark stage={row.stage} />
        <span class="quiet">
          {row._count.comments} {row._count.comments === 1 ? 'comment' : 'comments'}
        </span>
      </div>
    </li>
  )
}

function Pages({ search, pages }: { search: Search; pages: number }) {
  const to = (page: number) => {
    const query = new URLSearchParams()
    if (search.text !== '') query.set('q', search.text)
    if (search.stage !== undefined) query.set('stage', search.stage)
    if (page > 1) query.set('page', String(page))
    return `/?${query}`
  }
  if (pages === 1) return <></>
  return (
    <nav class="pages" aria-label="Pages">
      {search.page > 1 && (
        <a rel="prev" href={to(search.page - 1)}>
          ← Before
        </a>
      )}
      <span class="quiet">
        Page {search.page} of {pages}
      </span>
      {search.page < pages && (
        <a rel="next" href={to(search.page + 1)}>
          Next →
        </a>
      )}
    </nav>
  )
}
