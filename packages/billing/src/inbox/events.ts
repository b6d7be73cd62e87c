export { handledEventTypes, isHandled } from './event-types.ts'
export { parseEvent, type ReceivedEvent } from './parse-event.ts'
