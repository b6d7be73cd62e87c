#!/usr/bin/env node
// The browser tests need a Chromium. Where there is none and this user may install packages, the system's is installed;
// elsewhere it is said how.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const paths = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]
if (!paths.some((path) => path && existsSync(path))) {
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    process.stdout.write('Installing the system’s Chromium …\n')
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const options = { stdio: ['ignore', 'ignore', 'inherit'], env }
    execFileSync('apt-get', ['update', '-q'], options)
    execFileSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'chromium'], options)
  } else {
    process.stderr.write(
      'There is no Chromium for the browser tests.\n  fix: install it (apt-get install chromium, brew install --cask chromium), or set CHROMIUM_PATH.\n',
    )
    process.exitCode = 2
  }
}
