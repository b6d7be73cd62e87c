export { storedTime } from '../stored-time.ts'
export { isHandled } from './event-types.ts'
export { parseEventText } from './parse-event.ts'
