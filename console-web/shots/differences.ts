/**
 * What a newer version of a shot alert says otherwise, as things a screen can say.
 *
 * In: two versions, or all of them. Out: the differences that matter to a person.
 * Never: a guess at the reason; a difference too small to act on.
 */

import { metresBetween } from '../incident/nearest'
import type { AlertState } from '../wire/model'
import type { Shot, ShotAlert, ShotOutcome, ShotVersion, SoundKind } from '../wire/model.shots'
import { gunshotOf, isWithdrawn, leading, nothingStands, roundsOf, standing } from '../wire/shots'

const MOVED_M_MIN = 1
const SHARE_MIN = 0.05 // a probability that went by less is the same to a reader

export type Difference =
  | { what: 'first' | 'taken' | 'escalated' | 'same' | 'clips_gone' | 'all_back' }
  | { what: 'moved'; metres: number }
  | { what: 'rounds'; now: number }
  | { what: 'strings'; now: number }
  | { what: 'back'; now: number } // so many strings more were taken back
  | { what: 'places'; now: number } // how many places explain it
  | { what: 'gunshot'; now: number }
  | { what: 'ellipse'; now: number } // its longer half-axis, metres
  | { what: 'heard'; now: number }
  | { what: 'clips'; now: number }
  | { what: 'state'; now: AlertState }
  | { what: 'review'; kind: SoundKind }
  | { what: 'outcome'; outcome: ShotOutcome }
  | { what: 'level'; now: number }

export interface VersionDifferences {
  version: number
  at: string
  differences: Difference[]
}

/** Between two versions of one alert; empty where nothing of weight changed. */
export function differencesOf(before: ShotAlert, now: ShotAlert): Difference[] {
  return [...solved(before, now), ...handled(before, now)]
}

/** Every version with what it brought, the newest first. */
export function versionsOf(versions: readonly ShotVersion[]): VersionDifferences[] {
  return versions
    .map(({ version, at, alert }, i): VersionDifferences => {
      const before = versions[i - 1]?.alert
      const found: Difference[] = before ? differencesOf(before, alert) : [{ what: 'first' }]
      return { version, at, differences: found.length ? found : [{ what: 'same' }] }
    })
    .reverse()
}

function solved(before: ShotAlert, now: ShotAlert): Difference[] {
  if (nothingStands(now)) return nothingStands(before) ? [] : [{ what: 'all_back' }]
  const found: Difference[] = []
  const [old, fresh] = [leading(before), leading(now)]
  const metres = metresBetween(old.place, fresh.place)
  if (metres >= MOVED_M_MIN) found.push({ what: 'moved', metres })
  if (roundsOf(before) !== roundsOf(now)) found.push({ what: 'rounds', now: roundsOf(now) })
  const strings = standing(now).length
  if (standing(before).length !== strings) found.push({ what: 'strings', now: strings })
  const back = now.shots.filter(isWithdrawn).length - before.shots.filter(isWithdrawn).length
  if (back > 0) found.push({ what: 'back', now: back })
  if (places(old) !== places(fresh)) found.push({ what: 'places', now: places(fresh) })
  if (Math.abs(gunshotOf(old) - gunshotOf(fresh)) >= SHARE_MIN) {
    found.push({ what: 'gunshot', now: gunshotOf(fresh) })
  }
  const [wide, narrow] = [old.ellipse?.semi_major_m, fresh.ellipse?.semi_major_m]
  if (narrow !== undefined && (wide === undefined || Math.abs(wide - narrow) >= MOVED_M_MIN)) {
    found.push({ what: 'ellipse', now: narrow })
  }
  const heard = fresh.heard?.length ?? 0
  if (heard !== (old.heard?.length ?? 0)) found.push({ what: 'heard', now: heard })
  return found
}

const places = (shot: Shot) => Math.max(1, shot.modes?.length ?? 0)

function handled(before: ShotAlert, now: ShotAlert): Difference[] {
  const found: Difference[] = []
  const clips = now.clips?.length ?? 0
  if (clips > (before.clips?.length ?? 0)) found.push({ what: 'clips', now: clips })
  else if (clips < (before.clips?.length ?? 0)) found.push({ what: 'clips_gone' })
  if (before.level !== now.level) found.push({ what: 'level', now: now.level })
  if (now.escalated_at && !before.escalated_at) found.push({ what: 'escalated' })
  if (now.review && now.review.at !== before.review?.at) {
    found.push({ what: 'review', kind: now.review.kind })
  } else if (now.state !== before.state) {
    found.push(now.state === 'taken' ? { what: 'taken' } : { what: 'state', now: now.state })
  }
  if (now.outcome && now.outcome.at !== before.outcome?.at) {
    found.push({ what: 'outcome', outcome: now.outcome.outcome })
  }
  return found
}
