import { raw } from 'hono/html'
import type { PropsWithChildren } from 'hono/jsx'
import type { Visitor } from '../services.ts'
import { product } from '../product.ts'
import { stylePath } from './assets.ts'

type Props = PropsWithChildren<{
  visitor: Visitor | undefined
  title: string
  description?: string
  /** What was just done. */
  notice?: string | undefined
}>

/** The frame of every page. */
export function Layout({ visitor, title, description, notice, children }: Props) {
  return (
    <>
      {raw('<!doctype html>')}
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          {description !== undefined && <meta name="description" content={description} />}
          <title>
            {title === product.name ? `${product.name}: ${product.slogan}` : `${title} · ${product.name}`}
          </title>
          <link rel="stylesheet" href={stylePath} />
          <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
        </head>
        <body>
          <a class="skip" href="#main">
            Skip to the content
          </a>
          <header class="top">
            <div class="wrap">
              <a class="brand" href="/">
                <span class="mark" aria-hidden="true">
                  <i />
                  <i />
                  <i />
                  <i />
                </span>
                {product.name}
              </a>
              <nav aria-label="Main">
                <a href="/pricing">Pricing</a>
                {visitor ? (
                  <>
                    {product.nav.map(({ href, label }) => (
                      <a href={href}>{label}</a>
                    ))}
                    {visitor.mayPay && <a href="/billing">Billing</a>}
                    <form method="post" action="/sign-out">
                      <button class="link">Sign out</button>
                    </form>
                  </>
                ) : (
                  <>
                    <a href="/sign-in">Sign in</a>
                    <a class="button small" href="/sign-up">
                      Join
                    </a>
                  </>
                )}
              </nav>
            </div>
          </header>
          {visitor?.owes === true && visitor.mayPay && (
            <div class="banner" role="alert">
              <div class="wrap">
                <span>
                  <strong>Your last payment did not go through.</strong> Your plan stays active for a few
                  days; please check your card.
                </span>
                <form method="post" action="/billing/portal">
                  <button class="small">Update the card</button>
                </form>
              </div>
            </div>
          )}
          <main id="main" class="wrap">
            {notice !== undefined && (
              <p class="notice" role="status">
                {notice}
              </p>
            )}
            {children}
          </main>
          <footer class="wrap">
            <p>{product.footer}</p>
          </footer>
        </body>
      </html>
    </>
  )
}
