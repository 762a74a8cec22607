/** The machine's answer with its uncertainty, in words a person uses. */

import type { Catalogue } from '../i18n/en'
import type { Mode, Shot, ShotAlert, SoundKind } from '../wire/model.shots'
import { SOUND_KINDS } from '../wire/model.shots'
import { gunshotOf, isWithdrawn, leading, roundsOf, standing } from '../wire/shots'
import type { Difference } from './differences'

const FIREWORK_HINT_FROM = 0.02 // below it nobody wonders whether it was a firework

/** What a screen's language can do: `tongue`, or a stand-in of a test. */
export interface Speaker {
  t: Catalogue
  number: (value: number) => string
  percent: (value: number) => string
  compass: (degrees: number) => string
}

/** "7 rounds (6 to 9)": the interval only where it says more than the number. */
export function roundsWords(alert: ShotAlert, { t }: Speaker): string {
  const n = roundsOf(alert)
  const strings = standing(alert)
  const [only] = strings
  const words = t.shots.rounds(n)
  if (strings.length > 1) return t.shots.inStrings(words, strings.length)
  const [low, high] = [only?.rounds_low ?? n, only?.rounds_high ?? n]
  return low === n && high === n ? words : t.shots.interval(words, low, high)
}

/** "± 9 m": for a list. A shot with several places says how many instead. */
export function withinWords(shot: Shot, say: Speaker): string {
  const modes = shot.modes?.length ?? 0
  if (modes > 1) return say.t.shots.oneOf(modes)
  if (!shot.ellipse) return say.t.shots.noEllipse
  return say.t.calls.within(metres(shot.ellipse.semi_major_m, say))
}

/** The ellipse told along its axes: a person on the street walks along streets, not sigmas. */
export function ellipseWords(shot: Pick<Shot, 'ellipse'>, say: Speaker): string {
  const { ellipse } = shot
  if (!ellipse) return say.t.shots.noEllipse
  const [long, wide] = [ellipse.semi_major_m, ellipse.semi_minor_m].map((m) => metres(m, say))
  const percent = Math.round((ellipse.probability ?? 0.95) * 100)
  if (long === wide) return say.t.shots.circle(long!, percent)
  return say.t.shots.ellipse(long!, wide!, say.compass(ellipse.bearing_deg), percent)
}

const metres = (m: number, say: Speaker) => say.number(Math.max(1, Math.round(m)))

export interface PlacedMode extends Mode {
  letter: string // A, B, C …: the same on the map and in words
  percent: string
}

/** The places that explain what was heard, the likeliest first, each with a letter. */
export function modesOf(shot: Shot, say: Pick<Speaker, 'percent'>): PlacedMode[] {
  const modes = shot.modes ?? []
  if (modes.length < 2) return []
  return modes.map((mode, i) => ({
    ...mode,
    letter: String.fromCharCode(65 + i),
    percent: say.percent(mode.share),
  }))
}

/** What was not given to any place shown; null where it is too little to say. */
export function elsewhere(shot: Shot): number | null {
  const left = 1 - (shot.modes ?? []).reduce((sum, mode) => sum + mode.share, 0)
  return (shot.modes?.length ?? 0) > 1 && left >= 0.01 ? left : null
}

/** Kinds in their fixed order: bars that swapped places while one looked would be misread. */
export function kindShares(shot: Shot): { kind: SoundKind; share: number }[] {
  return SOUND_KINDS.map((kind) => ({ kind, share: shot.kinds[kind] ?? 0 }))
}

export function likeliest(shot: Shot): { kind: SoundKind; share: number } {
  return kindShares(shot).reduce((best, one) => (one.share > best.share ? one : best))
}

/** No recordings of real fireworks were to be had, so their share is not proven. */
export function doubtsFireworks(alert: ShotAlert): boolean {
  return standing(alert).some((shot) => (shot.kinds.firework ?? 0) >= FIREWORK_HINT_FROM)
}

/** The machine's answer in one line: "Gunshot 93 %", or that it took back what it had said. */
export function answerWords(shot: Shot, say: Pick<Speaker, 't' | 'percent'>): string {
  const t = say.t.shots
  if (isWithdrawn(shot)) return t.takenBack
  const best = likeliest(shot)
  const share = best.kind === 'gunshot' ? gunshotOf(shot) : best.share
  return t.machineSays(t.kinds[best.kind], say.percent(share))
}

/** Seconds from the first round to the solution; null where the times make no sense. */
export function delaySeconds(shot: Shot): number | null {
  const seconds = (Date.parse(shot.located_at) - Date.parse(shot.discharged_at)) / 1000
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null
}

export function differenceWords(difference: Difference, say: Speaker): string {
  const t = say.t.shots.change
  switch (difference.what) {
    case 'moved':
      return t.moved(metres(difference.metres, say))
    case 'ellipse':
      return t.ellipse(metres(difference.now, say))
    case 'rounds':
      return t.rounds(say.t.shots.rounds(difference.now))
    case 'strings':
      return t.strings(difference.now)
    case 'back':
      return t.back(difference.now)
    case 'places':
      return difference.now > 1 ? t.places(difference.now) : t.onePlace
    case 'gunshot':
      return t.gunshot(say.percent(difference.now))
    case 'heard':
      return t.heard(difference.now)
    case 'clips':
      return t.clips(difference.now)
    case 'state':
      return say.t.queue.states[difference.now]
    case 'review':
      return t.review(say.t.shots.kinds[difference.kind])
    case 'outcome':
      return t.outcome(say.t.shots.outcomes[difference.outcome])
    case 'level':
      return t.level(difference.now)
    default:
      return t[difference.what]
  }
}

/** The shot's own place as people say it; else its incident's; else its zone, or the globe's. */
export function whereWords(alert: ShotAlert, incidentWhere: string | undefined): string {
  if (alert.where) return alert.where
  if (incidentWhere) return incidentWhere
  if (alert.zone) return alert.zone
  const { lat, lon } = leading(alert).place
  return `${lat.toFixed(4)}, ${lon.toFixed(4)}`
}
