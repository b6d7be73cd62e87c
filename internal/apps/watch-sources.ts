import { globSync, watch } from 'node:fs'
import { join } from 'node:path'

/** An editor writes a file in several steps, and a checkout many files. */
const settleMs = 150

/**
 * Calls back with the app whose sources have changed, or with null when a package's have, which all apps share. Dispose of
 * it to stop.
 * @param onGone a folder cannot be watched any more, with the reason
 */
export function watchSources(
  root: string,
  onChange: (app: string | null) => void,
  onGone: (reason: string) => void,
): Disposable {
  const changed = new Set<string | null>()
  let timer: NodeJS.Timeout | undefined
  const settled = () => {
    const all = [...changed]
    changed.clear()
    if (all.includes(null)) onChange(null)
    else for (const app of all) onChange(app)
  }
  const watchers = globSync('{apps,packages}/*/src', { cwd: root }).map((folder) => {
    const [kind, name = ''] = folder.split(/[\\/]/)
    return watch(join(root, folder), { recursive: true }, (_, file) => {
      if (file !== null && !/\.(tsx?|css|js)$/.test(file)) return // an editor's own
      changed.add(kind === 'apps' ? name : null)
      clearTimeout(timer)
      timer = setTimeout(settled, settleMs)
    }).on('error', (error) => onGone(`${folder}: ${error.message}`))
  })
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer)
      for (const watcher of watchers) watcher.close()
    },
  }
}
