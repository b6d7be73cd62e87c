import { raw } from 'hono/html'
import type { PropsWithChildren } from 'hono/jsx'
import type { Topic } from '../live.ts'

type Props = PropsWithChildren<{
  title: string
  path: string
  /** What the page hears about while it is open. */
  topics?: Topic[]
  notice?: string | undefined
  /** When what the page shows was read, in ms since 1970. */
  made?: number
}>

const pages = [
  { path: '/', title: 'Overview' },
  { path: '/webhooks', title: 'Webhooks' },
  { path: '/subscriptions', title: 'Subscriptions' },
  { path: '/graduation', title: 'Graduation' },
]

/** The frame of every page. */
export function Layout({ title, path, topics = [], notice, made = Date.now(), children }: Props) {
  return (
    <>
      {raw('<!doctype html>')}
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>{`${title} · Outgrow console`}</title>
          <link rel="stylesheet" href="/assets/uPlot.min.css" />
          <link rel="stylesheet" href="/assets/console.css" />
          <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
          {topics.length > 0 && <script type="module" src="/assets/console.js" />}
        </head>
        <body data-topics={topics.join(',')} data-made={made}>
          <a class="skip" href="#main">
            Skip to the content
          </a>
          <header>
            <strong>Outgrow</strong>
            <nav aria-label="Main">
              {pages.map((page) => (
                <a
                  href={page.path}
                  aria-current={
                    page.path === path || (page.path !== '/' && path.startsWith(page.path))
                      ? 'page'
                      : undefined
                  }
                >
                  {page.title}
                </a>
              ))}
            </nav>
            {topics.length > 0 && (
              <span id="live" role="status">
                connecting
              </span>
            )}
          </header>
          <main id="main">
            {notice !== undefined && (
              <p class="notice" role="status">
                {notice}
              </p>
            )}
            {children}
          </main>
        </body>
      </html>
    </>
  )
}
