/**
 * The agreements and partners of one agency, as a person keeps them.
 *
 * In: the node's answers. Out: reactive values, and deeds sent to the node.
 * Never: an agreement shown as acting because it was pressed; the node says its state.
 */

import { tongue } from '../i18n/tongue.svelte'
import { ApiError, call, get, post } from '../wire/api'
import { clock } from '../wire/clock.svelte'
import type { Agreement, AgreementsAnswer, Because, Partner, PartnersAnswer, Simulation, Terms } from '../wire/federation'
import { assertion } from '../wire/passkey'
import { GROUPS, groupOf } from './terms'

export type Tab = 'given' | 'received' | 'partners'
export const TABS: readonly Tab[] = ['given', 'received', 'partners']
export const SIMULATED_DAYS = 30
const SIMULATION_MS_MAX = 60_000
const LEAVE_MS_MAX = 60_000 // both sides delete before it is answered

interface Said {
  says: string
  bad: boolean
}

export class AgreementBook {
  told = $state.raw<AgreementsAnswer | null>(null)
  partners = $state.raw<PartnersAnswer | null>(null)
  tab = $state<Tab>('given')
  chosen = $state<string | null>(null) // an agreement's or a partner's id
  simulations = $state.raw<ReadonlyMap<string, Simulation>>(new Map())
  permit = $state<number | null>(null)
  problem = $state('') // of asking
  said = $state.raw<Said | null>(null) // of the last deed
  busy = $state<'' | 'simulate' | 'sign' | 'stop' | 'draft' | 'partner'>('')

  list = $derived(this.tab === 'partners' ? [] : this.#sorted(this.tab))
  agreement = $derived(this.list.find((a) => a.agreement_id === this.chosen) ?? null)
  partner = $derived(
    this.tab === 'partners' ? (this.partners?.partners.find((p) => p.agency_id === this.chosen) ?? null) : null,
  )

  constructor(
    readonly own: { agency_id: string; name: string },
    readonly demo: boolean,
  ) {}

  get linked(): Partner[] {
    return (this.partners?.partners ?? []).filter((p) => p.state !== 'left')
  }

  get left(): Partner[] {
    return (this.partners?.partners ?? []).filter((p) => p.state === 'left')
  }

  get ids(): string[] {
    return this.tab === 'partners' ? [...this.linked, ...this.left].map((p) => p.agency_id) : this.list.map((a) => a.agreement_id)
  }

  #sorted(side: 'given' | 'received'): Agreement[] {
    const all = this.told?.[side] ?? []
    const rank = (a: Agreement) => GROUPS.indexOf(groupOf(a, clock.now))
    return [...all].sort((a, b) => rank(a) - rank(b) || Date.parse(b.starts) - Date.parse(a.starts))
  }

  nameOf(agency: string): string {
    if (agency === this.own.agency_id) return this.own.name
    const told = [...(this.told?.given ?? []), ...(this.told?.received ?? [])]
    return (
      this.partners?.partners.find((p) => p.agency_id === agency)?.name ??
      told.find((a) => a.grantor === agency)?.grantor_name ??
      told.find((a) => a.grantee === agency)?.grantee_name ??
      agency
    )
  }

  show(tab: Tab): void {
    if (tab === this.tab) return
    this.tab = tab
    this.chosen = null
    this.said = null
  }

  choose(id: string | null): void {
    if (id === this.chosen) return
    this.chosen = id
    this.said = null
  }

  move(step: 1 | -1): string | null {
    const at = this.chosen ? this.ids.indexOf(this.chosen) : -1
    const next = this.ids[at === -1 ? (step === 1 ? 0 : this.ids.length - 1) : at + step]
    if (next) this.choose(next)
    return next ?? null
  }

  async ask(): Promise<void> {
    try {
      const [told, partners] = await Promise.all([
        get<AgreementsAnswer>('/api/agreements'),
        get<PartnersAnswer>('/api/partners'),
      ])
      this.told = told
      this.partners = partners
      this.permit = told.permit ?? partners.permit ?? this.permit
      this.problem = ''
    } catch (error) {
      this.problem = wrong(error)
    }
  }

  async simulate(id: string): Promise<void> {
    await this.#deed('simulate', async () => {
      const path = `/api/agreements/${encodeURIComponent(id)}/simulation?days=${SIMULATED_DAYS}`
      const simulation = await call<Simulation>('GET', path, undefined, {}, SIMULATION_MS_MAX)
      this.simulations = new Map(this.simulations).set(id, simulation)
      this.permit = simulation.permit ?? this.permit
      return null
    })
  }

  /** With the person's own passkey; a practice node answers that it signs for its personas. */
  async sign(id: string): Promise<void> {
    await this.#deed('sign', async () => {
      const path = `/api/agreements/${encodeURIComponent(id)}`
      const options = await post<Record<string, unknown>>(`${path}/sign-options`)
      const credential = options['demo'] === true ? null : await assertion(options)
      const began = performance.now()
      const answer = await post<Agreement & { permit?: number | null }>(`${path}/sign`, { credential })
      const took = seconds(performance.now() - began)
      this.permit = answer.permit ?? this.permit
      await this.ask()
      const t = tongue.t.agreements
      return answer.state === 'in_force' ? t.inForce(took) : t.signed
    })
  }

  /** What the screen shows is told by the node; how long it took is what this person waited. */
  async stop(id: string, because: Because): Promise<void> {
    await this.#deed('stop', async () => {
      const began = performance.now()
      const path = `/api/agreements/${encodeURIComponent(id)}/revoke`
      const answer = await post<{ permit?: number | null }>(path, { because })
      const took = seconds(performance.now() - began)
      this.permit = answer.permit ?? this.permit
      await this.ask()
      return tongue.t.agreements.stopped(took)
    })
  }

  /** True when the draft is written; it is then shown. */
  async draft(terms: Terms): Promise<boolean> {
    return this.#deed('draft', async () => {
      const body = terms as unknown as Record<string, unknown>
      const answer = await post<Agreement & { permit?: number | null }>('/api/agreements', body)
      this.permit = answer.permit ?? this.permit
      await this.ask()
      this.show('given')
      this.chosen = answer.agreement_id
      return tongue.t.agreements.form.saved
    })
  }

  async confirm(partner: Partner, fingerprint: string): Promise<boolean> {
    return this.#deed('partner', async () => {
      await post(`/api/partners/${encodeURIComponent(partner.agency_id)}/confirm`, { fingerprint })
      await this.ask()
      return tongue.t.partners.confirmedNow(partner.name)
    })
  }

  async leave(partner: Partner): Promise<boolean> {
    return this.#deed('partner', async () => {
      await call('POST', `/api/partners/${encodeURIComponent(partner.agency_id)}/leave`, {}, {}, LEAVE_MS_MAX)
      await this.ask()
      return tongue.t.partners.left(partner.name)
    })
  }

  async #deed(what: typeof this.busy, run: () => Promise<string | null>): Promise<boolean> {
    if (this.busy) return false
    this.busy = what
    this.said = null
    try {
      const says = await run()
      if (says) this.said = { says, bad: false }
      return true
    } catch (error) {
      this.said = { says: wrong(error), bad: true }
      return false
    } finally {
      this.busy = ''
    }
  }
}

const seconds = (ms: number): string =>
  ms < 995 ? `${Math.max(1, Math.round(ms / 10) * 10)} ms` : `${(ms / 1000).toFixed(1)} s`

function wrong(error: unknown): string {
  if (error instanceof DOMException && ['NotAllowedError', 'AbortError'].includes(error.name)) return tongue.t.agreements.cancelled
  if (!(error instanceof ApiError)) throw error
  const e = tongue.t.errors
  return error.isOffline ? e.offline : [error.says || e.unknown, error.act].filter(Boolean).join('. ')
}
