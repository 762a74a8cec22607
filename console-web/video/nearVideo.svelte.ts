/**
 * The cameras that see what is selected, and those a car could pass next.
 *
 * In: a subject, on a key. Out: the node's ranking with its reasons. Never: asked before somebody
 * wants it, since each question is a ledger entry.
 */

import { tongue } from '../i18n/tongue.svelte'
import { ApiError, get } from '../wire/api'
import type { BestAnswer, NextAnswer } from '../wire/video'
import { nextPath, questionOf, type Subject } from './subject'

export class NearVideo {
  openKey = $state<string | null>(null) // the subject whose pictures are open
  best = $state.raw<BestAnswer | null>(null)
  next = $state.raw<NextAnswer | null>(null)
  problem = $state('')
  busy = $state(false)
  #question = ''

  constructor(private readonly permitted: (permit: number) => void) {}

  toggle(subject: Subject): void {
    if (this.openKey === subject.key) this.close()
    else this.open(subject)
  }

  /** The pane that shows it asks, by `follow`. */
  open(subject: Subject): void {
    this.close()
    this.openKey = subject.key
  }

  close(): void {
    this.openKey = null
    this.best = null
    this.next = null
    this.problem = ''
    this.#question = ''
  }

  /** Asks anew where the open subject is at another place by now. */
  async follow(subject: Subject): Promise<void> {
    const question = questionOf(subject)
    if (subject.key !== this.openKey || question === this.#question) return
    this.#question = question
    this.problem = ''
    this.busy = true
    const [best, next] = await Promise.all([
      subject.path ? this.#ask<BestAnswer>(subject.path) : null,
      subject.lastSeen ? this.#ask<NextAnswer>(nextPath(subject.lastSeen)) : null,
    ])
    if (question !== this.#question) return
    this.busy = false
    if (best) this.best = best
    this.next = next
  }

  async #ask<T extends { permit?: number | null }>(path: string): Promise<T | null> {
    try {
      const answer = await get<T>(path)
      if (answer.permit != null) this.permitted(answer.permit)
      return answer
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const t = tongue.t.errors
      this.problem = error.isOffline ? t.offline : [error.says || t.unknown, error.act].filter(Boolean).join('. ')
      return null
    }
  }
}
