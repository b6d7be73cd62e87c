import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import dockerignore from '@balena/dockerignore'
import { Copy, DockerfileParser, From, type Instruction } from 'dockerfile-ast'

// Its types describe a default export that the module does not have.
const makeIgnore = dockerignore as unknown as typeof dockerignore.default

/** An image as a folder, and what its processes begin with. */
export interface Image {
  root: string
  env: Record<string, string>
  workdir: string
  user: string
  command: string[]
}

/**
 * Carries out a Dockerfile without Docker: each stage is an overlay over the base root, each RUN a chroot. It knows the
 * instructions that ours has, and fails at any other.
 * @param base what every FROM that names an image begins with
 * @param work a folder for the stages; the caller unmounts what `mounts` lists, the last one first
 */
export function buildImage(dockerfile: string, base: string, work: string, mounts: string[]): Image {
  const context = dirname(dockerfile)
  const ignored = makeIgnore().add(readFileSync(join(context, '.dockerignore'), 'utf8'))
  const stages = new Map<string, Image>()
  let image: Image | undefined
  for (const instruction of DockerfileParser.parse(readFileSync(dockerfile, 'utf8')).getInstructions()) {
    if (instruction instanceof From) {
      image = beginStage(base, work, mounts)
      stages.set(instruction.getBuildStage() ?? '', image)
    } else if (image !== undefined) carryOut(instruction, image, { context, ignored, stages })
  }
  if (image === undefined) throw new Error('a Dockerfile without FROM')
  return image
}

interface Surroundings {
  context: string
  ignored: { ignores(path: string): boolean }
  stages: Map<string, Image>
}

function beginStage(base: string, work: string, mounts: string[]): Image {
  const folder = mkdtempSync(join(work, 'stage-'))
  const [root, upper, scratch] = ['root', 'upper', 'scratch'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  for (const path of [root, upper, scratch]) mkdirSync(path)
  const options = `lowerdir=${base},upperdir=${upper},workdir=${scratch}`
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, root])
  mounts.push(root)
  execFileSync('mount', ['-t', 'proc', 'proc', join(root, 'proc')])
  mounts.push(join(root, 'proc'))
  // What this machine has downloaded already, beside the store that the Dockerfile removes.
  mkdirSync(join(root, storeFolder))
  execFileSync('mount', ['--bind', store(), join(root, storeFolder)])
  mounts.push(join(root, storeFolder))
  return { root, env: {}, workdir: '/', user: 'root', command: [] }
}

function carryOut(instruction: Instruction, image: Image, { context, ignored, stages }: Surroundings): void {
  const text = instruction.getArgumentsContent() ?? ''
  switch (instruction.getKeyword()) {
    case 'WORKDIR':
      image.workdir = text
      mkdirSync(join(image.root, text), { recursive: true })
      return
    case 'ENV':
      for (const argument of instruction.getArguments()) {
        const [name, ...value] = argument.getValue().split('=')
        image.env[name as string] = value.join('=').replaceAll('$PATH', image.env.PATH ?? defaultPath)
      }
      return
    case 'COPY': {
      const paths = instruction.getArguments().map((argument) => argument.getValue())
      const from = (instruction as Copy).getFromFlag()?.getValue()
      const stage = from == null ? undefined : stages.get(from)
      if (from != null && stage === undefined) throw new Error(`no stage ${from}`)
      const target = paths.pop() as string
      for (const path of paths)
        copy(stage?.root ?? context, path, join(image.root, posix.resolve(image.workdir, target)), {
          isMany: target.endsWith('/'),
          takes: (file) => stage !== undefined || file === '' || !ignored.ignores(file),
        })
      return
    }
    case 'RUN':
      // Commands of several lines: the parser keeps the backslashes, which are the shell's as well.
      inside(image, ['/bin/sh', '-c', text])
      return
    case 'USER':
      image.user = text
      return
    case 'CMD':
      image.command = JSON.parse(text) as string[]
      return
    case 'VOLUME':
    case 'EXPOSE':
      return
    default:
      throw new Error(`${instruction.getKeyword()} is not carried out here`)
  }
}

/** Where this machine's way to the registry has a certificate of its own. */
const waysOut = Object.fromEntries(
  ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value]]
  }),
)

const storeFolder = '/pnpm-store'

function store(): string {
  const versioned = execFileSync('npx', ['-y', 'pnpm@12.21.0', 'store', 'path'], { encoding: 'utf8' })
  const path = dirname(versioned.trim())
  mkdirSync(path, { recursive: true })
  return path
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function copy(
  root: string,
  path: string,
  target: string,
  { isMany, takes }: { isMany: boolean; takes: (file: string) => boolean },
): void {
  const from = join(root, path)
  const isFolder = statSync(from).isDirectory()
  const to = !isFolder && isMany ? join(target, posix.basename(path)) : target
  mkdirSync(isFolder ? to : dirname(to), { recursive: true })
  if (!isFolder) return cpSync(from, to)
  const names = readdirSync(from)
  for (const name of names) {
    const inContext = relative(root, join(from, name))
    if (takes(inContext))
      cpSync(join(from, name), join(to, name), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (file) => takes(relative(root, file)),
      })
  }
}

function inside({ root, env, workdir }: Image, command: string[]): void {
  execFileSync('chroot', [root, '/usr/bin/env', '-C', workdir, ...command], {
    env: { PATH: defaultPath, HOME: '/root', pnpm_config_store_dir: storeFolder, ...waysOut, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
}
