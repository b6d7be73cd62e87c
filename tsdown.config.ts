import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'tsdown'

interface Manifest {
  exports: Record<string, string>
  dependencies?: Record<string, string>
}

// Every package is built by this file, from its own folder: what it exports is an entry, and so is the command line.
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest
const entries = Object.entries(manifest.exports)
  .filter(([name]) => !name.includes('*'))
  .map(([name, source]): [string, string] => [name === '.' ? 'index' : name.slice(2), source])
if (existsSync('src/cli.ts')) entries.push(['cli', 'src/cli.ts'])

/**
 * A workspace's override does not travel with a package: with the stock adapter inside, one better-sqlite3 is installed.
 * `.pnpmfile.mjs` takes it out of the published manifest.
 */
const bundled = '@prisma/adapter-better-sqlite3'

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
  deps: { alwaysBundle: [bundled, 'async-mutex'], onlyBundle: [bundled, 'async-mutex'] },
  hooks: {
    'build:done': () => {
      if (manifest.dependencies?.[bundled] === undefined) return
      cpSync(`node_modules/${bundled}/LICENSE`, 'dist/LICENSE-prisma-adapter-better-sqlite3')
    },
  },
})
