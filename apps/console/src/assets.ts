import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Hono } from 'hono'

const own = new URL('./assets/', import.meta.url)
const uplot = dirname(fileURLToPath(import.meta.resolve('uplot')))

const files: Record<string, { path: string | URL; type: string }> = {
  'console.css': { path: new URL('console.css', own), type: 'text/css' },
  'console.js': { path: new URL('console.js', own), type: 'text/javascript' },
  'icon.svg': { path: new URL('icon.svg', own), type: 'image/svg+xml' },
  'uPlot.esm.js': { path: join(uplot, 'uPlot.esm.js'), type: 'text/javascript' },
  'uPlot.min.css': { path: join(uplot, 'uPlot.min.css'), type: 'text/css' },
}

/** Styles and scripts, read once. */
export function assetRoutes(app: Hono): void {
  for (const [name, { path, type }] of Object.entries(files)) {
    const body = readFileSync(path, 'utf8')
    app.get(`/assets/${name}`, (context) =>
      context.body(body, 200, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-cache' }),
    )
  }
}
