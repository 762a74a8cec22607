/** What stands on this screen: the queue, what was decided, the counts, and what was opened. */

import { tongue } from '../i18n/tongue.svelte'
import { ApiError, get, post } from '../wire/api'
import { clock } from '../wire/clock.svelte'
import type { Decision, Digest, Field, Queue, Review } from './review'

export const TABS = ['open', 'decided', 'digest'] as const
export type Tab = (typeof TABS)[number]
export const DIGEST_DAYS = 7

export class ReviewBook {
  tab = $state<Tab>('open')
  open = $state.raw<Review[] | null>(null)
  decided = $state.raw<Review[] | null>(null)
  digest = $state.raw<Digest | null>(null)
  permit = $state<number | null>(null)
  chosen = $state<string | null>(null)
  busy = $state(false)
  problem = $state<{ says: string; again: boolean } | null>(null)
  said = $state<string | null>(null)
  protected = $state<number | null>(null) // plates, once this screen changed the list
  opened = $state<Record<string, string>>({}) // "review/entry/field"

  readonly list = $derived(this.tab === 'open' ? this.open : this.tab === 'decided' ? this.decided : [])
  readonly review = $derived(this.list?.find((r) => r.review_id === this.chosen) ?? null)

  async show(tab: Tab): Promise<void> {
    this.tab = tab
    this.said = null
    this.protected = null
    await this.ask()
  }

  async ask(): Promise<void> {
    await this.#work(async () => {
      if (this.tab === 'digest') {
        const told = await get<Digest>(`/api/reviews/digest?days=${DIGEST_DAYS}`)
        this.digest = told
        this.permit = told.permit
        return
      }
      const told = await get<Queue>(`/api/reviews?decided=${this.tab === 'decided'}`)
      clock.heard(told.at)
      this.permit = told.permit
      if (this.tab === 'open') this.open = told.reviews
      else this.decided = told.reviews
      if (!this.review) this.chosen = told.reviews[0]?.review_id ?? null
    })
  }

  move(step: 1 | -1): string | null {
    const list = this.list ?? []
    const at = list.findIndex((r) => r.review_id === this.chosen)
    const next = list[at === -1 ? 0 : Math.max(0, Math.min(list.length - 1, at + step))]
    if (next) this.chosen = next.review_id
    return next?.review_id ?? null
  }

  async openField(review: Review, entry: number, field: Field, reason: string): Promise<boolean> {
    return this.#work(async () => {
      const path = `/api/reviews/${review.review_id}/open`
      const told = await post<{ value: string | null; permit: number }>(path, { entry, field, reason })
      this.permit = told.permit
      this.opened = { ...this.opened, [`${review.review_id}/${entry}/${field}`]: told.value ?? '—' }
    })
  }

  async decide(review: Review, decision: Decision): Promise<boolean> {
    const done = await this.#work(async () => {
      const told = await post<{ permit: number }>(`/api/reviews/${review.review_id}/decide`, { decision })
      this.permit = told.permit
      this.said = tongue.t.review.done(tongue.t.review.decisions[decision], told.permit)
    })
    if (done) {
      this.move(1)
      await this.ask()
    }
    return done
  }

  /** A plate goes on the list that nobody reads, or comes off; how many there are is told. */
  async protect(plate: string, on: boolean): Promise<boolean> {
    return this.#work(async () => {
      const told = await post<{ count: number; permit: number }>('/api/reviews/protected', { plate, on })
      this.permit = told.permit
      this.protected = told.count
    })
  }

  async #work(deed: () => Promise<void>): Promise<boolean> {
    this.busy = true
    this.problem = null
    try {
      await deed()
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const says = error.isOffline
        ? tongue.t.errors.offline
        : [error.says || tongue.t.errors.unknown, error.act].filter(Boolean).join('. ')
      this.problem = { says, again: error.word.startsWith('sign_in') }
      return false
    } finally {
      this.busy = false
    }
  }
}
