import type { Hono } from 'hono'
import type { Services, WebEnvironment } from '../services.ts'
import { directoryPages } from './directory.tsx'
import { listingPages } from './listing.tsx'
import { ownPages } from './own.tsx'

/** Everything that the example answers. */
export function examplePages(app: Hono<WebEnvironment>, services: Services): void {
  directoryPages(app, services)
  listingPages(app, services)
  ownPages(app, services)
}
