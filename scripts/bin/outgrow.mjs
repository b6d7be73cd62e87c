#!/usr/bin/env node
// The command line from its sources, which want Node 24 (`using` is younger than 22). An older host runs it on the Node
// that is installed beside it. What is published starts at dist/cli.js.
import { spawn } from 'node:child_process'
import module from 'node:module'
import { join } from 'node:path'

const [major] = process.versions.node.split('.').map(Number)
if (major >= 24) {
  const cache = (process.env.NODE_COMPILE_CACHE ??= join(
    import.meta.dirname,
    '../node_modules/.cache/compiled',
  ))
  module.enableCompileCache(cache) // before the first file of TypeScript, or what strips types is loaded for that one
  await import('../src/cli.ts')
} else {
  const node = module.createRequire(import.meta.url).resolve('node/bin/node')
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.once('exit', (code, signal) => {
    process.exitCode = signal ? 128 : (code ?? 1)
  })
}
