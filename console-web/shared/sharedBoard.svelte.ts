/**
 * What partners share with this desk, to whom this desk has opened an incident, and who they are.
 *
 * In: a snapshot and the live line, handed on by the desk. Out: reactive values, deeds sent to the
 * node. Never: a thing of a partner among our own; a recall that passes unseen.
 */

import { tongue } from '../i18n/tongue.svelte'
import { ApiError, get, post } from '../wire/api'
import { clock } from '../wire/clock.svelte'
import type { Agreement, AgreementsAnswer, Partner, PartnersAnswer, SharedAnswer, SharedItem } from '../wire/federation'
import type { Incident, LiveMessage, Role } from '../wire/model'
import { freshRecalls, type HeldShared, isKept, keyOf, ofKinds, withShared, withSnapshot } from '../wire/shared'

const SEEN_KEY = 'farolito.recallsSeen'
const SEEN_KEPT_MAX = 200
const MINUTE_MS = 60_000
// Who sees what: the node decides; this only spares refusals in its ledger.
const SEES_SHARED: readonly Role[] = ['operator', 'supervisor']

interface Voice {
  permitted: (permit: number) => void
  say: (says: string, bad: boolean) => void
  complain: (error: unknown) => void
}

export class SharedBoard {
  held = $state.raw<HeldShared>(new Map())
  selectedKey = $state<string | null>(null)
  partners = $state.raw<readonly Partner[]>([]) // confirmed ones
  aids = $state.raw<readonly Agreement[]>([]) // mutual aid that we give
  seen = $state.raw<ReadonlySet<string>>(new Set(keptSeen()))
  busy = $state(false)

  // By the minute: lists of thousands of rows are not sorted anew each second.
  #now = $derived(Math.floor(clock.now / MINUTE_MS) * MINUTE_MS)
  #living = $derived(new Map([...this.held].filter(([, item]) => isKept(item, this.#now))))
  alerts = $derived(ofKinds(this.#living, ['alert', 'shot']))
  incidents = $derived(ofKinds(this.#living, ['incident']))
  rows = $derived(ofKinds(this.#living, ['hot_list']))
  units = $derived(ofKinds(this.#living, ['unit']).filter((item) => !item.recalled_at))
  recalls = $derived(freshRecalls(this.#living, this.seen, this.#now))
  selected = $derived(this.selectedKey ? (this.#living.get(this.selectedKey) ?? null) : null)
  placed = $derived(
    [...this.alerts, ...this.incidents].filter((item) => !item.recalled_at && item.lat != null && item.lon != null),
  )
  #gone = new Set<string>() // deleted while a snapshot was on its way

  constructor(
    private readonly role: Role,
    private readonly voice: Voice,
  ) {}

  /** Takes all anew. Returns the number it was told with; null where it was not told. */
  async snapshot(restarted: boolean): Promise<number | null> {
    if (!SEES_SHARED.includes(this.role)) return null
    this.#gone.clear()
    try {
      const told = await get<SharedAnswer>('/api/shared')
      const items = told.items.filter((item) => !this.#gone.has(keyOf(item)))
      this.held = withSnapshot(restarted ? new Map() : this.held, items)
      if (told.permit != null) this.voice.permitted(told.permit)
      return told.seq
    } catch (error) {
      this.#complain(error)
      return null
    }
  }

  /** Asked for once, and after each deed: whom an incident can be opened to, and to whom it is. */
  async askPartners(): Promise<void> {
    if (!SEES_SHARED.includes(this.role)) return
    try {
      const told = await get<PartnersAnswer>('/api/partners')
      this.partners = told.partners.filter((p) => p.state === 'confirmed')
      if (this.partners.length) await this.#askAids()
    } catch (error) {
      this.#complain(error)
    }
  }

  async #askAids(): Promise<void> {
    const told = await get<AgreementsAnswer>('/api/agreements')
    this.aids = told.given.filter((a) => a.incident && a.state === 'in_force')
  }

  /** True where it is news that should be heard: a first sight of a thing, or its recall. */
  hear(message: LiveMessage & { k: 'shared' }): boolean {
    const item = message.shared
    const before = this.held.get(keyOf(item))
    if (item.purged) this.#gone.add(keyOf(item))
    this.held = withShared(this.held, item)
    if (item.purged || !item.title || item.kind === 'unit' || item.kind === 'hot_list') {
      return Boolean(item.recalled_at && before?.title && !before.recalled_at)
    }
    return before === undefined || (Boolean(item.recalled_at) && !before.recalled_at)
  }

  select(key: string | null): void {
    this.selectedKey = key
  }

  /** The person has seen this recall: it leaves the top of this screen, not the list. */
  put(item: SharedItem): void {
    this.seen = new Set([...this.seen, keyOf(item)].slice(-SEEN_KEPT_MAX))
    sessionStorage.setItem(SEEN_KEY, JSON.stringify([...this.seen]))
  }

  /** The units of a partner that are on one of its incidents. */
  unitsOn(incident: string): SharedItem[] {
    return this.units.filter((unit) => unit.incident === incident)
  }

  aidsOf(incident: Incident): Agreement[] {
    return this.aids.filter((a) => a.incident === incident.incident_id && Date.parse(a.expires) > clock.now)
  }

  nameOf(agency: string): string {
    return this.partners.find((p) => p.agency_id === agency)?.name ?? agency
  }

  /** Mutual aid: one incident, one partner, some hours. True when the node did it. */
  async openTo(incident: Incident, partner: string, hours: number): Promise<boolean> {
    return this.#deed(async () => {
      const path = `/api/incidents/${encodeURIComponent(incident.incident_id)}/aid`
      const done = await post<{ permit?: number | null }>(path, { partner, hours })
      if (done.permit != null) this.voice.permitted(done.permit)
      return tongue.t.shared.aid.done(this.nameOf(partner))
    })
  }

  async end(aid: Agreement): Promise<boolean> {
    return this.#deed(async () => {
      const path = `/api/agreements/${encodeURIComponent(aid.agreement_id)}/revoke`
      const done = await post<{ permit?: number | null }>(path, { because: 'aid_over' })
      if (done.permit != null) this.voice.permitted(done.permit)
      return tongue.t.shared.aid.ended(this.nameOf(aid.grantee))
    })
  }

  async #deed(run: () => Promise<string>): Promise<boolean> {
    if (this.busy) return false
    this.busy = true
    try {
      const says = await run()
      await this.#askAids()
      this.voice.say(says, false)
      return true
    } catch (error) {
      this.voice.complain(error)
      return false
    } finally {
      this.busy = false
    }
  }

  /** A node without partners knows nothing of all this; that is no trouble of the desk. */
  #complain(error: unknown): void {
    const isNotTold = error instanceof ApiError && [403, 404].includes(error.status)
    if (!isNotTold) this.voice.complain(error)
  }
}

function keptSeen(): string[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(SEEN_KEY) ?? '[]')
    return Array.isArray(kept) ? kept.filter((key): key is string => typeof key === 'string') : []
  } catch {
    return []
  }
}
