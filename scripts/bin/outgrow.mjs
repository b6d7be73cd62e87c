#!/usr/bin/env node
// The product runs on Node 24 (`using` is younger than 22). An older host runs it on the Node that is installed beside
// it: the SQLite driver would crash on Node 20 before it could say anything, so nothing is imported before this check.
import { spawn } from 'node:child_process'
// The default export: an older Node has no `enableCompileCache` to import by name.
import module from 'node:module'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'

const [major] = process.versions.node.split('.').map(Number)
if (major >= 24) {
  // Rows are short-lived: a small nursery keeps the memory of a long copy low, and costs no time there.
  if (/^(migrate|verify|export|transform|import|demo)$/.test(process.argv[2] ?? '')) {
    setFlagsFromString('--max-semi-space-size=4')
    setFlagsFromString('--semi-space-growth-factor=1')
  }
  // Compiled once, started in half the time; the variable is for the processes that this one starts.
  process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '../node_modules/.cache/compiled')
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE)
  await import('../src/main.ts')
} else {
  const node = module.createRequire(import.meta.url).resolve('node/bin/node')
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.once('exit', (code, signal) => {
    process.exitCode = signal ? 128 : (code ?? 1)
  })
}
