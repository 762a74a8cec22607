/**
 * Cameras for a wall that is empty: what sees the open incidents, then owner by owner.
 *
 * In: the node's answers. Out: ids, the first one first, none twice. Never: a camera that is not
 * open to this person, or one that is known to show nothing.
 */

import type { Incident } from '../wire/model'
import type { CameraRow, Ranked } from '../wire/video'
import { SHAPE_OF } from './tileState'

export const INCIDENTS_MAX = 9 // each is a question that is written down

/** The most urgent first, of equals the newest. */
export function urgentFirst(incidents: readonly Incident[]): Incident[] {
  return incidents
    .filter((one) => one.state === 'open' && one.place !== null)
    .sort((a, b) => a.level - b.level || b.opened_at.localeCompare(a.opened_at))
    .slice(0, INCIDENTS_MAX)
}

/** The best of each place, then the second of each, and so on. */
export function inTurns(lists: readonly (readonly string[])[]): string[] {
  const longest = Math.max(0, ...lists.map((list) => list.length))
  const turns = Array.from({ length: longest }, (_, i) => lists.map((list) => list[i]))
  return [...new Set(turns.flat().filter((id) => id !== undefined))]
}

export const shown = (ranked: readonly Ranked[]): string[] =>
  ranked.filter((one) => one.open && isWell(one)).map((one) => one.id)

/** One of each owner, then a second of each; those with pictures before those nobody has asked. */
export function byOwner(cameras: Iterable<CameraRow>): string[] {
  const owners = new Map<string, CameraRow[]>()
  for (const camera of cameras) {
    if (!camera.open || !isWell(camera) || camera.faults?.length) continue
    owners.set(camera.owner, [...(owners.get(camera.owner) ?? []), camera])
  }
  const lists = [...owners.values()].map((own) =>
    own.sort((a, b) => Number(b.state === 'live') - Number(a.state === 'live')).map((one) => one.id),
  )
  return inTurns(lists)
}

const isWell = (camera: Pick<CameraRow, 'state'>) => !['fault', 'stop'].includes(SHAPE_OF[camera.state])
