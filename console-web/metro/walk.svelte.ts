/** The guided walk on this screen: where it stands, the step being taken, what went wrong. */

import { ApiError, call, get } from '../wire/api'
import { dueOf, type StepName, type TourView } from './story'

// A step may wait for a car that both have read, or for a witness that was away.
const STEP_MS_MAX = 200_000

type Problem = { kind: 'offline' } | { kind: 'said'; says: string; act: string }

class Walk {
  view = $state.raw<TourView | null>(null)
  missing = $state(false) // this node has no practice metro beside it
  taking = $state<StepName | 'again' | null>(null)
  problem = $state.raw<Problem | null>(null)
  startedAt = $state(0)

  get due(): StepName | null {
    return this.view ? dueOf(this.view) : null
  }

  async look(): Promise<void> {
    if (this.taking) return
    try {
      this.view = await get<TourView>('/api/tour')
      this.missing = false
      this.problem = null
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.status === 404) this.missing = true
      else this.problem = said(error)
    }
  }

  /** The next step; true where it was taken. */
  async next(): Promise<boolean> {
    const due = this.due
    return due === null ? false : await this.#take(due, `/api/tour/${due}`)
  }

  async again(): Promise<boolean> {
    return await this.#take('again', '/api/tour/again')
  }

  async #take(what: StepName | 'again', path: string): Promise<boolean> {
    if (this.taking) return false
    this.taking = what
    this.startedAt = Date.now()
    this.problem = null
    let elsewhere = false
    try {
      this.view = await call<TourView>('POST', path, {}, {}, STEP_MS_MAX)
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      elsewhere = error.status === 409 // another window took this step: show where it stands
      if (!elsewhere) this.problem = said(error)
      return false
    } finally {
      this.taking = null
      if (elsewhere) await this.look()
    }
  }
}

function said(error: ApiError): Problem {
  if (error.status === 0) return { kind: 'offline' }
  return { kind: 'said', says: error.says, act: error.act }
}

export const walk = new Walk()
