import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

export interface Usage {
  ms: number
  /** User and system time of the process and its children. */
  cpuMs: number
  /** Largest resident size of one process. */
  peakBytes: number
  code: number | null
  output: string
}

/** Ticks of the kernel's accounting: 100 a second on every Linux that Node runs on. */
const msPerTick = 10

interface MeasureOptions {
  /** Added to this process' own. */
  env: NodeJS.ProcessEnv
  /** Aborted: the command and its children are killed. */
  signal: AbortSignal
}

/** Runs a command and reads the kernel's account of it (Linux). */
export async function measure(
  command: string,
  args: string[],
  { env, signal }: MeasureOptions,
): Promise<Usage> {
  signal.throwIfAborted()
  const started = performance.now()
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a group of its own, which is killed as one
  })
  const kill = () => killGroup(child.pid ?? 0)
  signal.addEventListener('abort', kill)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => (output += String(data)))
  let peakBytes = 0
  const cpu = new Map<number, number>()
  const sample = () => {
    for (const pid of family(child.pid ?? 0)) {
      cpu.set(pid, Math.max(cpu.get(pid) ?? 0, ownTicks(pid) * msPerTick)) // 0 once it has ended
      peakBytes = Math.max(peakBytes, residentPeak(pid))
    }
  }
  const sampling = setInterval(sample, 20)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearInterval(sampling)
  signal.removeEventListener('abort', kill)
  signal.throwIfAborted()
  const cpuMs = [...cpu.values()].reduce((sum, ms) => sum + ms, 0)
  return { ms: performance.now() - started, cpuMs, peakBytes, code, output }
}

/** The same for a command that is to succeed. @throws Error with the end of its output, where it does not */
export async function runWhole(command: string, args: string[], options: MeasureOptions): Promise<void> {
  const { code, output } = await measure(command, args, options)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${output.slice(-4000)}`)
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // it has ended
  }
}

/** CPU time of a server's processes so far: the postmaster, its live children, and those it has reaped. */
export function serverCpuMs(postmaster: number): number {
  const children = childrenOf().get(postmaster) ?? []
  const fields = statFields(postmaster)
  const reaped = Number(fields[15] ?? 0) + Number(fields[16] ?? 0)
  return (ownTicks(postmaster) + reaped + children.reduce((sum, pid) => sum + ownTicks(pid), 0)) * msPerTick
}

function family(root: number): number[] {
  const children = childrenOf()
  const found = [root]
  for (const pid of found) found.push(...(children.get(pid) ?? []))
  return found
}

function childrenOf(): Map<number, number[]> {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = Number(statFields(Number(name))[3] ?? 0)
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  return children
}

/** Fields of /proc/pid/stat, counted from 0, the name taken out. */
function statFields(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return [String(pid), 'name', ...text.slice(text.lastIndexOf(')') + 2).split(' ')]
  } catch {
    return [] // it has ended
  }
}

function ownTicks(pid: number): number {
  const fields = statFields(pid)
  return Number(fields[13] ?? 0) + Number(fields[14] ?? 0)
}

function residentPeak(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0 // it has ended
  }
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}
