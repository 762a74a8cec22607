/**
 * What an officer said while the line was down, kept until the node has it.
 *
 * In: receipts, answers and outcomes. Out: the same, sent in order, each once as far as we can know.
 * Never: the brief itself; only ids and answers are written to the phone.
 */

export const OUTBOX_ITEMS_MAX = 200 // at the limit the oldest receipt goes; answers stay
const STORE_KEY = 'farolito.outbox'

export interface OutboxItem {
  key: string // the same key again replaces the older answer
  path: string
  body: Record<string, unknown>
  kind: 'receipt' | 'outcome' | 'answer'
}

export type SendResult = 'sent' | 'later' | { refused: string }

export interface Shelf {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
}

export class Outbox {
  #items: OutboxItem[]
  #sending = false

  constructor(
    private readonly shelf: Shelf | null,
    private readonly send: (item: OutboxItem) => Promise<SendResult>,
    private readonly onChange: (waiting: readonly OutboxItem[], refused: string | null) => void,
  ) {
    this.#items = this.#load()
  }

  get waiting(): readonly OutboxItem[] {
    return this.#items
  }

  async add(item: OutboxItem): Promise<void> {
    this.#items = [...this.#items.filter((i) => i.key !== item.key), item]
    if (this.#items.length > OUTBOX_ITEMS_MAX) {
      const oldest = this.#items.findIndex((i) => i.kind === 'receipt')
      this.#items.splice(Math.max(0, oldest), 1)
    }
    this.#keep(null)
    await this.flush()
  }

  /** Sends what waits, oldest first; stops at the first that must wait for the line. */
  async flush(): Promise<void> {
    if (this.#sending) return
    this.#sending = true
    try {
      for (let item = this.#items[0]; item; item = this.#items[0]) {
        const result = await this.send(item)
        if (result === 'later') return
        this.#items = this.#items.filter((i) => i !== item)
        this.#keep(result === 'sent' ? null : result.refused)
      }
    } finally {
      this.#sending = false
    }
  }

  #keep(refused: string | null): void {
    try {
      this.shelf?.setItem(STORE_KEY, JSON.stringify(this.#items))
    } catch {
      // A full or forbidden store costs us only survival of a reload; the answers wait in memory.
    }
    this.onChange(this.#items, refused)
  }

  #load(): OutboxItem[] {
    try {
      const kept = JSON.parse(this.shelf?.getItem(STORE_KEY) ?? '[]') as unknown
      return Array.isArray(kept) ? (kept as OutboxItem[]).slice(0, OUTBOX_ITEMS_MAX) : []
    } catch {
      return []
    }
  }
}
