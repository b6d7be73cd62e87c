#!/usr/bin/env node
// Nothing is imported before the check: the SQLite driver would crash on Node 20 before it could say anything.
import module from 'node:module'
import { setFlagsFromString } from 'node:v8'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`outgrow needs Node 22.18 or newer; this is ${process.version}.\n`)
  process.exit(2)
}
// Rows are short-lived: a small nursery keeps the memory of a long copy low, and costs no time there.
if (/^(migrate|verify|export|transform|import)$/.test(process.argv[2] ?? '')) {
  setFlagsFromString('--max-semi-space-size=4')
  setFlagsFromString('--semi-space-growth-factor=1')
}
// Compiled once, started in half the time; the variable is for the processes that this one starts.
module.enableCompileCache(process.env.NODE_COMPILE_CACHE)
const cache = module.getCompileCacheDir()
if (cache !== undefined) process.env.NODE_COMPILE_CACHE ??= cache
await import('./main.ts')
