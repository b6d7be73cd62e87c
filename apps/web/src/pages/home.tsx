import type { Hono } from 'hono'
import { product } from '../product.ts'
import type { WebEnvironment } from '../services.ts'
import { Layout } from '../views/layout.tsx'

/** The first page, unless the product has its own. */
export function homePage(app: Hono<WebEnvironment>): void {
  app.get('/', (context) => {
    const visitor = context.get('visitor')
    return context.html(
      <Layout visitor={visitor} title={product.name}>
        <section class="hero">
          <h1>{product.name}</h1>
          <p>{visitor ? `Signed in as ${visitor.email}.` : product.offer}</p>
        </section>
      </Layout>,
    )
  })
}
