/**
 * The guided walk as a page can set it: whose column, what went where, what was measured.
 *
 * In: what the node tells of the steps taken. Out: deeds in their order, each in its column.
 * Never: a number that no node told.
 */

import type { PageName } from '../sign-in/door'
import type { Role } from '../wire/model'

export type StepName = 'ask' | 'refused' | 'agree' | 'answered' | 'recall' | 'revoke' | 'prove'
export const SIDES = ['city', 'sheriff', 'pueblo'] as const // in the order the node names them
export type Side = (typeof SIDES)[number]

export interface Told {
  readonly [word: string]: unknown
}

export interface Did {
  readonly node: string
  readonly person: string
  readonly what: string
  readonly permit: number | null
  readonly told: Told
}

export interface Step {
  readonly name: StepName
  readonly at: string
  readonly ms: number
  readonly did: readonly Did[]
}

export interface TourNode {
  readonly agency_id: string
  readonly name: string
  readonly url: string
}

export interface TourView {
  readonly nodes: readonly TourNode[]
  readonly steps: readonly StepName[]
  readonly done: readonly Step[]
}

/** A deed in its column. `to`: which side it reached or was meant for; `stopped`: it never left. */
export interface Deed extends Did {
  readonly side: Side
  readonly to: Side | null
  readonly stopped: boolean
}

export interface Figure {
  readonly what: 'answered' | 'recalled' | 'revoked' | 'purged'
  readonly ms: number
}

const REACHES: Readonly<Record<string, Side>> = {
  asked: 'sheriff',
  was_answered: 'city',
  listed: 'city',
  recalled: 'city',
  revoked: 'city',
  purged: 'sheriff',
}
const WITNESS = /^farolito\/([^/]+)\/witness$/

export function sideOf(view: TourView, agency: string): Side {
  return SIDES[view.nodes.findIndex((node) => node.agency_id === agency)] ?? 'city'
}

/** The step's deeds, and of the last one what a witness did, whom the ledgers name. */
export function deedsOf(view: TourView, step: Step): Deed[] {
  const stopped = step.did.some((did) => did.what === 'did_not_leave')
  const deeds = step.did.map((did): Deed => {
    const side = sideOf(view, did.node)
    const agreed = did.what === 'signed' && did.told['number'] === did.told['of']
    const to = agreed ? 'city' : (REACHES[did.what] ?? null)
    return { ...did, side, to, stopped: stopped && did.what === 'asked' }
  })
  const cosigned = cosignedBy(view, step, 'pueblo')
  if (!cosigned.length) return deeds
  const node = view.nodes[SIDES.indexOf('pueblo')]!.agency_id
  const deed = { node, person: '', what: 'cosigned', permit: null, told: { ledgers: cosigned } }
  return [...deeds, { ...deed, side: 'pueblo', to: null, stopped: false }]
}

/** In which row each deed stands: time goes down, and only what crosses no other shares a row. */
export function rowsOf(deeds: readonly Pick<Deed, 'side' | 'to'>[]): number[] {
  let row = 0
  let taken = new Set<number>()
  return deeds.map(({ side, to }) => {
    const ends = [SIDES.indexOf(side), SIDES.indexOf(to ?? side)]
    const columns = SIDES.map((_, i) => i).filter((i) => i >= Math.min(...ends) && i <= Math.max(...ends))
    if (columns.some((i) => taken.has(i)) || taken.size === SIDES.length) {
      row += 1
      taken = new Set()
    }
    for (const i of columns) taken.add(i)
    return row
  })
}

/** Whose ledgers this side cosigned, by the names of those who checked them. */
function cosignedBy(view: TourView, step: Step, side: Side): string[] {
  const agency = view.nodes[SIDES.indexOf(side)]?.agency_id
  return step.did
    .filter((did) => did.what === 'proved' && witnessesOf(did.told).includes(agency ?? ''))
    .map((did) => nameOf(view, did.node))
}

/** The agencies that cosigned, without the ledger's own words around them. */
export function witnessesOf(told: Told): string[] {
  return list(told, 'witnesses').map((name) => WITNESS.exec(String(name))?.[1] ?? String(name))
}

export function nameOf(view: TourView, agency: string): string {
  return view.nodes.find((node) => node.agency_id === agency)?.name ?? agency
}

/** What the nodes measured in this step, in the order it happened. */
export function figuresOf(step: Step): Figure[] {
  const found: Figure[] = []
  for (const { what, told } of step.did) {
    const ms = number(told, 'ms')
    if (what === 'was_answered' && ms !== null) found.push({ what: 'answered', ms })
    if (what === 'saw_recall' && ms !== null) found.push({ what: 'recalled', ms })
    if (what === 'revoked' && ms !== null) found.push({ what: 'revoked', ms })
    const purged = what === 'purged' ? purgedMs(told) : null
    if (purged !== null) found.push({ what: 'purged', ms: purged })
  }
  return found
}

/** From the grantor's asking until the receipt was there. */
function purgedMs(told: Told): number | null {
  const receipt = receiptOf(told)
  const ms = Date.parse(text(receipt, 'answered_at')) - Date.parse(text(receipt, 'asked_at'))
  return Number.isFinite(ms) && ms >= 0 ? ms : null
}

export function receiptOf(told: Told): Told {
  const receipt = told['receipt']
  return typeof receipt === 'object' && receipt !== null ? (receipt as Told) : {}
}

/** The step whose turn it is; null after the last. */
export function dueOf(view: TourView): StepName | null {
  return view.steps[view.done.length] ?? null
}

/** The plate that the walk is about, once it is known. */
export function plateOf(view: TourView): string {
  return text(view.done[0]?.did[0]?.told ?? {}, 'plate')
}

export function text(told: Told, word: string): string {
  const value = told[word]
  return typeof value === 'string' ? value : ''
}

export function number(told: Told, word: string): number | null {
  const value = told[word]
  return typeof value === 'number' ? value : null
}

export function list(told: Told, word: string): readonly unknown[] {
  const value = told[word]
  return Array.isArray(value) ? (value as unknown[]) : []
}

/** The entry of the node's own ledger that this deed is; a receipt names its own ("agency#n:…"). */
export function entryOf(did: Did): number | null {
  if (did.permit !== null) return did.permit
  const named = /#(\d+):/.exec(text(receiptOf(did.told), 'receipt'))
  return named ? Number(named[1]) : null
}

/** A page of that side's console, and the role that may open it. */
export interface Look {
  readonly page: PageName
  readonly role: Role
}

const LEDGER: Look = { page: 'audit', role: 'auditor' }
const KEPT: Look = { page: 'agreements', role: 'supervisor' }
const DESK: Look = { page: 'console', role: 'operator' }
const SEARCH: Look = { page: 'search', role: 'operator' }
const LOOKS: Readonly<Record<StepName, Partial<Record<Side, readonly Look[]>>>> = {
  ask: { city: [DESK, LEDGER] },
  refused: { city: [SEARCH, LEDGER], sheriff: [LEDGER] },
  agree: { city: [KEPT], sheriff: [{ page: 'agreements', role: 'agency_admin' }, LEDGER] },
  answered: { city: [SEARCH, LEDGER], sheriff: [LEDGER], pueblo: [LEDGER] },
  recall: { city: [DESK], sheriff: [LEDGER], pueblo: [DESK] },
  revoke: { city: [KEPT, LEDGER], sheriff: [KEPT, LEDGER] },
  prove: { city: [LEDGER], sheriff: [LEDGER], pueblo: [{ page: 'health', role: 'agency_admin' }, LEDGER] },
}

/** Where a visitor sees at that side what this step did. */
export function looksOf(step: StepName, side: Side): readonly Look[] {
  return LOOKS[step][side] ?? []
}
