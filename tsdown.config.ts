import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'tsdown'

interface Manifest {
  name: string
  exports: Record<string, string>
}

// Every package is built by this file, from its own folder: what it exports is an entry, and so is the command line.
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest
const entries = Object.entries(manifest.exports)
  .filter(([name]) => !name.includes('*'))
  .map(([name, source]): [string, string] => [name === '.' ? 'index' : name.slice(2), source])
if (existsSync('src/cli.ts')) entries.push(['cli', 'src/cli.ts'])

/**
 * What a package carries inside of what is published, and files of it that go along. `.pnpmfile.mjs` says why, and takes it out of
 * the published manifest.
 */
const bundles: Record<string, { from: string; files: Record<string, string> }> = {
  '@outgrow/databases': {
    from: '@prisma/adapter-better-sqlite3',
    files: { LICENSE: 'LICENSE-prisma-adapter-better-sqlite3' },
  },
  '@outgrow/operations': {
    from: '@electric-sql/pglite-tools',
    files: { LICENSE: 'LICENSE-pglite-tools', 'dist/pg_dump.wasm': 'pg_dump.wasm' },
  },
}
const bundled = [...Object.values(bundles).map(({ from }) => from), 'async-mutex']
/** With what they export beside their main file. */
const alwaysBundle = bundled.map((name) => new RegExp(`^${name}(/|$)`))

export default defineConfig({
  cwd: process.cwd(),
  entry: Object.fromEntries(entries),
  tsconfig: join(import.meta.dirname, 'tsconfig.build.json'),
  format: 'esm',
  platform: 'node',
  target: 'node22',
  fixedExtension: false,
  dts: true,
  sourcemap: true,
  logLevel: 'warn',
  deps: { alwaysBundle, onlyBundle: bundled },
  hooks: {
    'build:done': () => {
      const { from, files } = bundles[manifest.name] ?? { from: '', files: {} }
      for (const [file, to] of Object.entries(files)) cpSync(`node_modules/${from}/${file}`, `dist/${to}`)
    },
  },
})
