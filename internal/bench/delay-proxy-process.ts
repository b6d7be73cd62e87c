/** The proxy: `delay-proxy-process.ts <port> <round trip in ms>`. It reports its port, then its traffic for each message. */
import { startDelayProxy } from './delay-proxy.ts'

process.on('SIGINT', () => {}) // Ctrl-C is for the bench, which ends this process
process.on('disconnect', () => process.exit())
const [port, roundTripMs] = process.argv.slice(2).map(Number) as [number, number]
const proxy = await startDelayProxy({ port, roundTripMs })
process.on('message', () => process.send?.(proxy.traffic))
process.send?.(proxy.port)
