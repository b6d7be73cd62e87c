#!/usr/bin/env node
// Web, worker and console as one process tree, for a platform where a volume belongs to one machine. When one ends, all
// end, and the platform starts them again. WORKER_HOST and CONSOLE_HOST say where the other two listen: loopback by default.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

const { WORKER_HOST = '127.0.0.1', CONSOLE_HOST = '127.0.0.1' } = process.env
const settings = {
  web: {},
  worker: { HOST: WORKER_HOST, PORT: '3001' },
  console: { HOST: CONSOLE_HOST, PORT: '3002' },
}

const children = Object.entries(settings).map(([name, own]) =>
  spawn(process.execPath, [`${import.meta.dirname}/${name}/dist/main.js`], {
    stdio: 'inherit',
    env: { ...process.env, ...own },
  }),
)
const ends = children.map((child) => once(child, 'exit'))

/** What is under way is finished within this time. */
const stopMs = 30_000

// Once: a second signal would end an app in the middle of its work.
let isStopping = false
function stop() {
  if (isStopping) return
  isStopping = true
  for (const child of children) child.kill('SIGTERM')
  setTimeout(() => children.forEach((child) => child.kill('SIGKILL')), stopMs).unref()
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop)

await Promise.race(ends)
if (!isStopping) process.exitCode = 1
stop()
await Promise.all(ends)
