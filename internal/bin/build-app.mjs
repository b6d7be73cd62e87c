#!/usr/bin/env node
// Compiles the app of the current folder into dist/main.js, with the files that it reads beside its code. What it
// imports stays where it is: Node runs our own packages' TypeScript as it is, but no JSX.
import { cpSync, existsSync, rmSync } from 'node:fs'
import { build } from 'esbuild'

rmSync('dist', { recursive: true, force: true })
await build({
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node24',
  jsx: 'automatic',
  jsxImportSource: 'hono/jsx',
  sourcemap: true,
  logLevel: 'warning',
})
for (const file of ['style.css', 'example/style.css', 'assets']) {
  if (existsSync(`src/${file}`)) cpSync(`src/${file}`, `dist/${file}`, { recursive: true })
}
