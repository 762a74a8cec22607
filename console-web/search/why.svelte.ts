/** What explains one search, as its result asks about it: put on record or confirmed, never typed. */

import { tongue } from '../i18n/tongue.svelte'
import { ApiError, call } from '../wire/api'
import type { Point } from '../wire/model'
import type { QuestionForm } from './question'
import { caseFor, type Explanation, type Explains, isMine, type Looked, type Reason, reasonsOf, toConfirm } from './why'

/** What was searched, as the node took it. */
export type About = { plate: string } | { place: Point }

type Done = { reason: Reason; case: string }

export class Why {
  explains = $state.raw<Explains | null>(null)
  busy = $state(false)
  problem = $state('')
  done = $state.raw<Done | null>(null)
  away = $state(false) // this person went on without an answer

  readonly case: string
  readonly #purpose: string

  constructor(
    form: QuestionForm,
    readonly about: About,
    readonly looked: Looked | null, // null: nobody is reminded, the person asks by themselves
    private readonly at: string, // of the answer: a line that is read aloud does not count on
    private readonly me: string,
  ) {
    this.case = form.caseNumber.trim()
    this.#purpose = form.purpose
  }

  get lookedForS(): number {
    return this.looked ? (Date.parse(this.at) - Date.parse(this.looked.since)) / 1000 : 0
  }

  get reasons(): Reason[] {
    return this.explains ? reasonsOf(this.explains, this.me) : []
  }

  get toConfirm(): Explanation | null {
    return this.explains && toConfirm(this.explains, this.me)
  }

  /** What this person said already, and nobody has confirmed. */
  get mine(): Explanation | null {
    return this.explains?.waiting.find((one) => isMine(one, this.me)) ?? null
  }

  /** Ask the node what the case says of it. Each look is an entry of the ledger. */
  async open(): Promise<void> {
    await this.#work(async () => {
      this.explains = await this.#call<Explains>('GET', `/api/search/explained?${this.#asked()}`)
    })
  }

  async answer(reason: Reason, typed: string): Promise<boolean> {
    const number = caseFor(reason, this.case, typed)
    if (!number) {
      this.problem = tongue.t.explaining.which
      return false
    }
    const other = this.toConfirm
    return this.#work(async () => {
      if (reason === 'confirm' && other) {
        await this.#call('POST', `/api/search/explanations/${other.explanation_id}/confirm`, { case: number })
      } else {
        await this.#call('POST', '/api/search/explain', { case: number, ...this.about })
      }
      this.done = { reason, case: number }
    })
  }

  #asked(): URLSearchParams {
    if ('plate' in this.about) return new URLSearchParams({ plate: this.about.plate })
    const { lat, lon } = this.about.place
    return new URLSearchParams({ lat: String(lat), lon: String(lon) })
  }

  #call<T>(method: 'GET' | 'POST', path: string, body?: Record<string, unknown>): Promise<T> {
    return call<T>(method, path, body, { 'X-Farolito-Purpose': this.#purpose, 'X-Farolito-Case': this.case })
  }

  async #work(deed: () => Promise<void>): Promise<boolean> {
    if (this.busy) return false
    this.busy = true
    this.problem = ''
    try {
      await deed()
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const e = tongue.t.errors
      this.problem = error.isOffline ? e.offline : [error.says || e.unknown, error.act].filter(Boolean).join('. ')
      return false
    } finally {
      this.busy = false
    }
  }
}
