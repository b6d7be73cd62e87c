/** What a page can hear about. */
export type Topic = 'signs' | 'inbox' | 'runs' | 'graduation'

export interface Message {
  topic: Topic
  /** What the browser does with it: put a piece of the page in place, or add points to the charts. */
  event: 'fragment' | 'points'
  data: string
  /** When it was measured, in ms since 1970. */
  at: number
}

type Listener = (message: Message) => void

interface Subscription {
  topics: ReadonlySet<Topic>
  /** What it was lastSent last, by piece. */
  lastSent: Map<string, string>
}

/**
 * Tells every open page what has changed. Each thing is measured once, whoever looks on; who comes late gets what was
 * said last, unless its page was made of something newer.
 */
export class Live {
  readonly #listeners = new Map<Listener, Subscription>()
  readonly #last = new Map<string, Message>()

  publish(message: Message): void {
    // A piece begins with its own id, which tells it from others of its topic.
    const key = `${message.topic} ${message.event} ${/id="[^"]+"/.exec(message.data)?.[0] ?? ''}`
    this.#last.set(key, message)
    for (const [listener, { topics, lastSent }] of this.#listeners) {
      if (!topics.has(message.topic) || lastSent.get(key) === message.data) continue // nothing new there
      lastSent.set(key, message.data)
      listener(message)
    }
  }

  /**
   * @param since when the page was made: what was measured before is older than what it shows
   * @returns what ends it
   */
  subscribe(topics: ReadonlySet<Topic>, since: number, listener: Listener): () => void {
    const lastSent = new Map<string, string>()
    this.#listeners.set(listener, { topics, lastSent })
    for (const [key, message] of this.#last) {
      // Signs are shown by the stream alone: their page comes without them.
      if (!topics.has(message.topic) || (message.topic !== 'signs' && message.at < since)) continue
      lastSent.set(key, message.data)
      listener(message)
    }
    return () => this.#listeners.delete(listener)
  }

  /** Whether any open page wants to hear of it. */
  hears(topic: Topic): boolean {
    return [...this.#listeners.values()].some(({ topics }) => topics.has(topic))
  }
}
