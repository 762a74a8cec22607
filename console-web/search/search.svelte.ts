/**
 * One person's questions about plates and places: whom one may ask, what was asked last, what came back.
 *
 * In: a form. Out: reactive answers, with the question that they belong to.
 * Never: a question that nobody sent; answers kept when the page closes.
 */

import { tongue } from '../i18n/tongue.svelte'
import { ApiError, call, get } from '../wire/api'
import { clock } from '../wire/clock.svelte'
import type { OwnersAnswer, PlaceAnswer, PlateAnswer, SearchAnswer } from '../wire/federation'
import type { MapFacts } from '../wire/model'
import { bodyOf, placeBodyOf, type QuestionForm, questionKey } from './question'
import { Why } from './why.svelte'

const ANSWER_MS_MAX = 40_000 // owners are asked side by side, each with a deadline of its own

export interface Asked {
  form: QuestionForm
  key: string
  answer: SearchAnswer
  why: Why
}

export class Searches {
  constructor(private readonly me: string) {} // the id of who asks

  owners = $state.raw<OwnersAnswer | null>(null)
  asked = $state.raw<Asked | null>(null)
  asking = $state(0) // owners being asked at this moment
  permit = $state<number | null>(null)
  problem = $state('') // of the last question
  ownersProblem = $state('')
  readerNames = $state.raw<ReadonlyMap<string, string>>(new Map())
  tiles = $state<string | null>(null)

  get ownersMax(): number {
    return this.owners?.owners_max ?? 5
  }

  async open(): Promise<void> {
    void this.#askMap()
    try {
      this.owners = await get<OwnersAnswer>('/api/search/owners')
      this.permit = this.owners.permit ?? this.permit
      this.ownersProblem = ''
    } catch (error) {
      this.ownersProblem = wrong(error)
    }
  }

  async #askMap(): Promise<void> {
    try {
      const { readers, tiles } = await get<MapFacts>('/api/map')
      this.readerNames = new Map(readers.map((r) => [r.device_id, r.name]))
      this.tiles = tiles
    } catch {
      this.tiles = null // readers stand there by their numbers
    }
  }

  async ask(form: QuestionForm): Promise<boolean> {
    if (this.asking) return false
    this.asking = form.about === 'place' ? 1 : form.owners.length + 1
    this.problem = ''
    this.asked = null // nothing of an older question beside a new one
    const headers = { 'X-Farolito-Purpose': form.purpose, 'X-Farolito-Case': form.caseNumber.trim() }
    try {
      const answer =
        form.about === 'place'
          ? await call<PlaceAnswer>('POST', '/api/search/place', placeBodyOf(form, clock.at()), headers, ANSWER_MS_MAX)
          : await call<PlateAnswer>('POST', '/api/search/plate', bodyOf(form), headers, ANSWER_MS_MAX)
      clock.heard(answer.at)
      this.permit = answer.permit ?? this.permit
      const why = new Why(form, 'plate' in answer ? { plate: answer.plate } : { place: answer.place }, answer.looked, answer.at, this.me)
      this.asked = { form, key: questionKey(form), answer, why }
      if (answer.looked) void why.open() // the answers do not wait for it
      return true
    } catch (error) {
      this.problem = wrong(error)
      if (error instanceof ApiError && error.permit !== null) this.permit = error.permit
      return false
    } finally {
      this.asking = 0
    }
  }

  /** An agency as people call it. */
  nameOf(agency: string): string {
    if (agency === this.owners?.own.agency_id) return this.owners.own.name
    return this.owners?.owners.find((o) => o.agency_id === agency)?.name ?? agency
  }
}

function wrong(error: unknown): string {
  if (!(error instanceof ApiError)) throw error
  const e = tongue.t.errors
  return error.isOffline ? e.offline : [error.says || e.unknown, error.act].filter(Boolean).join('. ')
}
