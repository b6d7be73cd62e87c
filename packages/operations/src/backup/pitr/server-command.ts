import { fileURLToPath } from 'node:url'

/** The programs that the server starts, as its own account. */
export function programFile(program: 'archive-wal' | 'restore-wal'): string {
  return fileURLToPath(import.meta.resolve(`@outgrow/operations/${program}`))
}

/** As archive_command or restore_command: for the shell, with the server's `%p` (path) and `%f` (name). */
export function serverCommand(program: 'archive-wal' | 'restore-wal', argument: string): string {
  const words = [process.execPath, programFile(program), argument].map(
    (word) => `'${word.replaceAll("'", "'\\''").replaceAll('%', '%%')}'`,
  )
  return `${words.join(' ')} "%p" "%f"`
}
