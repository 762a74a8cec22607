/**
 * How long until the car is there, counted down from what was reckoned last.
 *
 * In: the brief, the newest word on the way, the node's time. Out: seconds left and the age of
 * the reckoning, which is shown with it.
 */

import type { Brief, LiveMessage } from '../wire/model'

export type Way = Extract<LiveMessage, { k: 'way' }>

export interface Eta {
  seconds: number | null // null: no way by road, or no position of the car, is known
  metres: number | null
  age_s: number
}

/** The node's live word where it is about this brief, else what stood in the brief itself. */
export function etaOf(brief: Brief, way: Way | null, now: number): Eta | null {
  if (brief.ended_at || brief.recalled || !brief.place) return null
  if (way && way.brief_id === brief.brief_id) return counted(way.eta_s, way.metres, way.at, now)
  return brief.eta_s == null ? null : counted(brief.eta_s, null, brief.composed_at, now)
}

function counted(eta_s: number | null, metres: number | null, at: string, now: number): Eta {
  const age_s = Math.max(0, (now - Date.parse(at)) / 1000)
  return {
    seconds: eta_s === null ? null : Math.max(0, Math.round(eta_s - age_s)),
    metres,
    age_s: Math.floor(age_s),
  }
}
