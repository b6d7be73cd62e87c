import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import type { Store } from '../store.ts'

export type Page = HtmlEscapedString | Promise<HtmlEscapedString>

/** A page's address below wherever the stand-in is reached. */
export function pathOf({ baseUrl }: Store, path: string): string {
  return `${new URL(baseUrl).pathname.replace(/\/$/, '')}${path}`
}

/** Buttons of a form, each with a value of one field. */
export function choices(field: string, buttons: [value: string, label: string][]): Page {
  return html`<form method="post">
    ${buttons.map(([value, label]) => html`<button name="${field}" value="${value}">${label}</button> `)}
  </form>`
}

export function layout(store: Store, title: string, body: Page): Page {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title} (stand-in for Stripe)</title>
        <style>
          body {
            font:
              1rem/1.5 system-ui,
              sans-serif;
            max-width: 36rem;
            margin: 2rem auto;
            padding: 0 1rem;
            color-scheme: light dark;
          }
          button {
            font: inherit;
            padding: 0.4rem 0.8rem;
            margin: 0.2rem 0;
          }
          table {
            border-collapse: collapse;
            width: 100%;
          }
          td,
          th {
            text-align: left;
            padding: 0.2rem 0.6rem 0.2rem 0;
          }
        </style>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
          <p>
            <small
              >No money moves here: this is a stand-in for Stripe.
              <a href="${pathOf(store, '/clock')}">Its clock</a></small
            >
          </p>
        </main>
      </body>
    </html>`
}
