// Ends the process that started this one when it holds the application's writes for longer than it said: stopped, or
// waiting for a disk, it could not give them back by itself. What it leaves is what a crash leaves.
const watched = process.ppid
let timer: NodeJS.Timeout | undefined

process.once('disconnect', () => process.exit())
process.on('message', (holdsMs: number) => {
  clearTimeout(timer)
  if (holdsMs > 0) timer = setTimeout(end, holdsMs)
})

function end(): void {
  // Whose parent is gone belongs to somebody else.
  if (process.ppid === watched) process.kill(watched, 'SIGKILL')
}
