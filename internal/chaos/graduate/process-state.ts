import { readFileSync } from 'node:fs'

/** A process as the kernel has it: T is stopped, Z has ended and nobody has waited for it. Undefined where it is gone. */
export function processState(pid: number): { state: string; parent: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state, parent: Number(parent) }
  } catch {
    return undefined
  }
}
