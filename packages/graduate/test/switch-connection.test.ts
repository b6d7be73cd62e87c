import { chmodSync, lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { switchConnection } from '../src/switch/switch-connection.ts'

const url = 'postgresql://u:p%23$HOME@h/d'
const value = '"postgresql://u:p%23%24HOME@h/d"'

test.each([
  [
    'an exported, commented one',
    'export DATABASE_URL=file:./a.db   # dev\nX=1\n',
    `# before the move to Postgres: export DATABASE_URL=file:./a.db   # dev\nexport DATABASE_URL=${value}   # dev\nX=1\n`,
  ],
  [
    'single quotes and a # inside',
    "DATABASE_URL='file:./a#b.db'",
    `# before the move to Postgres: DATABASE_URL='file:./a#b.db'\nDATABASE_URL=${value}`,
  ],
  [
    'spaces around',
    '  DATABASE_URL = "file:./a.db"\n',
    `# before the move to Postgres: DATABASE_URL = "file:./a.db"\n  DATABASE_URL = ${value}\n`,
  ],
  [
    'every active line',
    'DATABASE_URL=a\nDATABASE_URL=b\n',
    `# before the move to Postgres: DATABASE_URL=a\nDATABASE_URL=${value}\n# before the move to Postgres: DATABASE_URL=b\nDATABASE_URL=${value}\n`,
  ],
  [
    'line ends of Windows',
    'A=1\r\nDATABASE_URL=a\r\nB=2\r\n',
    `A=1\r\n# before the move to Postgres: DATABASE_URL=a\r\nDATABASE_URL=${value}\r\nB=2\r\n`,
  ],
  [
    'other names and comments left alone',
    '# DATABASE_URL=x\nDATABASE_URL_OLD=y\nMY_DATABASE_URL=z\n',
    `# DATABASE_URL=x\nDATABASE_URL_OLD=y\nMY_DATABASE_URL=z\nDATABASE_URL=${value}\n`,
  ],
  ['no line end at the end', 'A=1', `A=1\nDATABASE_URL=${value}\n`],
  [
    'nothing inside another value',
    'KEY="a\nDATABASE_URL=x\n"\nDATABASE_URL=file:./a#b.db\n',
    `KEY="a\nDATABASE_URL=x\n"\n# before the move to Postgres: DATABASE_URL=file:./a#b.db\nDATABASE_URL=${value}\n`,
  ],
])('the switch changes %s', (_, before, after) => {
  const file = join(temporaryFolder(), '.env')
  writeFileSync(file, before)
  chmodSync(file, 0o640)
  switchConnection(file, url)
  expect(readFileSync(file, 'utf8')).toBe(after)
  expect(statSync(file).mode & 0o777).toBe(0o640)
})

test('what a link leads to is switched, and bytes of another encoding stay', () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'real.env'), Buffer.from('NAME=\xe9\nDATABASE_URL=a\n', 'latin1'))
  symlinkSync(join(folder, 'real.env'), join(folder, '.env'))
  switchConnection(join(folder, '.env'), url)
  expect(lstatSync(join(folder, '.env')).isSymbolicLink()).toBe(true)
  expect(readFileSync(join(folder, 'real.env'), 'latin1')).toMatch(
    /^NAME=\xe9\n# before .*\nDATABASE_URL="postgresql:/,
  )
})
