#!/usr/bin/env node
// Renames the npm scope of the workspace. It imports no package of ours: their names change while it runs.
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '../..')
const help = `Usage: pnpm rename <name> [--dry-run] [--force]

Renames the scope of every package of the workspace, from @${currentScope()}/… to @<name>/…, wherever a file of the
repository names it, and installs again. The command line keeps its name, outgrow, and so do its package, the codes
of its errors, its tables and the variables of the environment.

Options:
  --dry-run   list the files that would change; change none
  --force     although there are uncommitted changes
  --help

Example:
  pnpm rename acme --dry-run
`

try {
  process.stdout.write(rename(process.argv.slice(2)))
} catch (error) {
  if (error.fix === undefined) throw error
  process.stderr.write(`${error.message}\n  fix: ${error.fix}\n`)
  process.exitCode = 2
}

/** Returns what there is to say. */
function rename(args) {
  const { values, positionals } = argumentsOf(args)
  if (values.help) return help
  const scope = currentScope()
  const name = nameOf(positionals)
  if (name === scope) return `The scope is @${name} already.\n`
  if (mentions(name).test(readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8')))
    throw refused(`Packages of @${name} are installed already.`, 'Choose a name that no dependency has.')
  if (!values.force && !values['dry-run'] && git('status', '--porcelain') !== '')
    throw refused(
      'There are uncommitted changes, which would be mixed with those of the rename.',
      'Commit or stash them, or add --force.',
    )

  const changes = changesOf(scope, name)
  const paths = changes.map(({ path }) => path)
  if (values['dry-run'])
    return `${paths.join('\n')}\n${paths.length} files would change, from @${scope} to @${name}.\n`
  for (const { path, text } of changes) writeFileSync(join(root, path), text)
  install()
  // A name of another length breaks lines and sorts imports differently.
  run(
    join(root, 'node_modules/.bin/oxfmt'),
    paths.filter((path) => path !== 'pnpm-lock.yaml'),
  )
  return `@${scope} is @${name} now, in ${paths.length} files.\n`
}

function nameOf([given, ...more]) {
  if (given === undefined || more.length > 0)
    throw refused('Exactly one name is needed.', 'For example: pnpm rename acme')
  const name = given.replace(/^@/, '')
  if (name.length <= 100 && /^[a-z0-9][a-z0-9._-]*$/.test(name)) return name
  throw refused(
    `${given} cannot be the scope of npm packages.`,
    'Use lowercase letters, digits, "-", "." and "_", with a letter or a digit first.',
  )
}

function changesOf(scope, name) {
  return textFiles().flatMap(({ path, text }) => {
    let renamed = text.replace(mentions(scope), `@${name}`)
    if (path === 'package.json')
      renamed = renamed.replace(`"name": "${scope}-workspace"`, `"name": "${name}-workspace"`)
    return renamed === text ? [] : [{ path, text: renamed }]
  })
}

/** What it is called now, as one of its packages says. */
function currentScope() {
  const { name } = JSON.parse(readFileSync(join(root, 'internal/package.json'), 'utf8'))
  return /^@([^/]+)\//.exec(name)[1]
}

/** The scope in front of a package's name, also within a regular expression. */
function mentions(scope) {
  return new RegExp(`(?<![\\w.-])@${scope.replaceAll('.', '\\.')}(?=\\\\?/)`, 'g')
}

function textFiles() {
  const paths = git('ls-files', '-z', '--cached', '--others', '--exclude-standard').split('\0')
  return [...new Set(paths)].flatMap((path) => {
    const file = join(root, path)
    if (path === '' || !existsSync(file) || !lstatSync(file).isFile()) return []
    const text = readFileSync(file, 'utf8')
    return text.includes('\0') ? [] : [{ path, text }]
  })
}

/** Nothing new is resolved or downloaded: the lockfile's own packages have another name, and the others were checked before. */
function install() {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const options = ['--frozen-lockfile', '--trust-lockfile', '--prefer-offline']
  try {
    run('npx', ['-y', packageManager, 'install', ...options])
  } catch {
    throw refused(
      'The files are renamed, but the packages could not be installed.',
      'Run pnpm install, then pnpm run format.',
    )
  }
}

function argumentsOf(args) {
  const options = {
    'dry-run': { type: 'boolean', default: false },
    force: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  }
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    throw refused(error.message, '--help lists the options.')
  }
}

function refused(message, fix) {
  return Object.assign(new Error(message), { fix })
}

function run(command, args) {
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
}

function git(...args) {
  try {
    return execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 64e6 })
  } catch {
    throw refused('Git does not know this folder as a repository.', 'Run git init and commit everything.')
  }
}
