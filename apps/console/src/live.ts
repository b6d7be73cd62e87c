/** What a page can hear about. */
export type Topic = 'signs' | 'inbox' | 'runs'

export interface Message {
  topic: Topic
  /** What the browser does with it: put a piece of the page in place, or add points to the charts. */
  event: 'fragment' | 'points'
  data: string
}

type Listener = (message: Message) => void

/**
 * Tells every open page what has changed. Each thing is measured once, whoever looks on; who comes late gets what was
 * said last.
 */
export class Live {
  readonly #listeners = new Map<Listener, ReadonlySet<Topic>>()
  readonly #last = new Map<string, Message>()

  publish(message: Message): void {
    // A piece begins with its own id, which tells it from others of its topic.
    const key = `${message.topic} ${message.event} ${/id="[^"]+"/.exec(message.data)?.[0] ?? ''}`
    if (this.#last.get(key)?.data === message.data) return // nothing new
    this.#last.set(key, message)
    for (const [listener, topics] of this.#listeners) if (topics.has(message.topic)) listener(message)
  }

  /** @returns what ends it */
  subscribe(topics: ReadonlySet<Topic>, listener: Listener): () => void {
    this.#listeners.set(listener, topics)
    for (const message of this.#last.values()) if (topics.has(message.topic)) listener(message)
    return () => this.#listeners.delete(listener)
  }

  /** Whether any open page wants to hear of it. */
  hears(topic: Topic): boolean {
    return [...this.#listeners.values()].some((topics) => topics.has(topic))
  }
}
