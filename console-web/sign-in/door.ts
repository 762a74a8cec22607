/** Which page belongs to which role, and how long a screen may lie untouched. */

import type { Role } from '../wire/model'

export const LOCK_AFTER_S = 1_800 // CJIS: at most 30 minutes; a site exempt from it sends 0

const TOUCH_TOLD_EVERY_MS = 5_000

export type PageName =
  | 'console'
  | 'brief'
  | 'audit'
  | 'health'
  | 'timings'
  | 'shots'
  | 'wall'
  | 'owner'
  | 'agreements'
  | 'search'
  | 'review'

const PATHS: Record<PageName, string> = {
  console: '/',
  brief: '/brief',
  audit: '/audit',
  health: '/health',
  timings: '/timings',
  shots: '/shots',
  wall: '/wall',
  owner: '/owner',
  agreements: '/agreements',
  search: '/search',
  review: '/review',
}

/** The pages of each role, its own one first. The node decides; this only spares a refusal. */
export const PAGES_OF: Record<Role, readonly PageName[]> = {
  operator: ['console', 'search', 'wall', 'agreements', 'shots', 'timings', 'health'],
  supervisor: ['console', 'search', 'wall', 'agreements', 'shots', 'timings', 'health'],
  detective: ['console', 'search', 'wall', 'agreements', 'health'],
  officer: ['brief'],
  auditor: ['audit', 'review', 'agreements', 'shots', 'timings', 'health'],
  oversight: ['review', 'audit', 'agreements'],
  agency_admin: ['health', 'agreements', 'shots', 'timings'],
  sysadmin: ['health'],
  system: ['health'],
  camera_owner: ['owner'],
}

export const pathOf = (name: PageName): string => PATHS[name]

export function mayOpen(role: Role, page: PageName): boolean {
  return PAGES_OF[role].includes(page)
}

export function pageOf(role: Role): { name: PageName; path: string } {
  const name = PAGES_OF[role][0] ?? 'health'
  return { name, path: PATHS[name] }
}

/** Why a provider's sign-in came back without one, in a word; asked once, then it is gone. */
export function cameBack(): string {
  const address = new URL(location.href)
  const word = address.searchParams.get('sign-in') ?? ''
  if (word) {
    address.searchParams.delete('sign-in')
    history.replaceState(null, '', address)
  }
  return word
}

/** Calls `lock` once after `seconds` without a touch. Returns the way to stop watching. */
export function watchIdleness(seconds: number | undefined, lock: () => void): () => void {
  const limit = (seconds ?? LOCK_AFTER_S) * 1000
  if (limit <= 0) return () => undefined
  let touchedAt = Date.now()
  let toldAt = 0
  // A wall in a second window lies untouched while its person works at the console, and signing
  // out is for both: a touch of one counts for all windows of this browser.
  const others = new BroadcastChannel('farolito.touched')
  others.onmessage = () => (touchedAt = Date.now())
  const touched = () => {
    touchedAt = Date.now()
    if (touchedAt - toldAt < TOUCH_TOLD_EVERY_MS) return
    toldAt = touchedAt
    others.postMessage(null)
  }
  const kinds = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const
  for (const kind of kinds) addEventListener(kind, touched, { passive: true })
  const timer = setInterval(() => {
    if (Date.now() - touchedAt >= limit) {
      stop()
      lock()
    }
  }, 5_000)
  const stop = () => {
    clearInterval(timer)
    others.close()
    for (const kind of kinds) removeEventListener(kind, touched)
  }
  return stop
}
