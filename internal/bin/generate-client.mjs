#!/usr/bin/env node
// Generates the Prisma clients of the application and of the sample. Prisma's command line would first download a native
// engine that generating does not need (it runs on WebAssembly); naming any existing file as that engine keeps it from
// trying.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'

const root = new URL('../../', import.meta.url)
const prisma = createRequire(new URL('package.json', root)).resolve('prisma/build/index.js')
const env = {
  ...process.env,
  PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
  PRISMA_HIDE_UPDATE_MESSAGE: '1',
  CHECKPOINT_DISABLE: '1',
}

async function generate(schema) {
  const options = ['generate', '--schema', schema, '--no-hints']
  const child = spawn(process.execPath, [prisma, ...options], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env,
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) process.exitCode = 1
}

const folders = ['prisma', 'packages/sample/prisma']
await Promise.all(
  folders.flatMap((folder) =>
    ['sqlite', 'postgres'].map((provider) => generate(`${folder}/${provider}/schema.prisma`)),
  ),
)
