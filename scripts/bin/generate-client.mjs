#!/usr/bin/env node
// Generates both Prisma clients. Prisma's command line would first download a native engine that generating does not
// need (it runs on WebAssembly); naming any existing file as that engine keeps it from trying.
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'

const root = new URL('../../', import.meta.url)
const prisma = createRequire(new URL('package.json', root)).resolve('prisma/build/index.js')
for (const provider of ['sqlite', 'postgres']) {
  execFileSync(
    process.execPath,
    [prisma, 'generate', '--schema', `prisma/${provider}/schema.prisma`, '--no-hints'],
    {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
        PRISMA_HIDE_UPDATE_MESSAGE: '1',
        CHECKPOINT_DISABLE: '1',
      },
    },
  )
}
