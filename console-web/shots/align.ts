/**
 * Clips of several sensors on one time axis: seconds since the first round left the muzzle.
 *
 * In: a solved string and its clips. Out: where each clip lies once the sound's way to its sensor
 * is taken off, so that one round stands at one place in every clip.
 * Never: a clip moved to make it fit; one whose way is not known is said to be unaligned.
 */

import type { Clip, Heard, Shot } from '../wire/model.shots'

const SOUND_M_PER_S_PER_ROOT_K = 20.03 // c = 20.03 √K
const ZERO_C_IN_K = 273.15
const TEMPERATURE_C = 15 // where no weather is told
const SAME_ROUND_S = 0.1 // farther from every round than this, the onset is of none of them
const LEAD_S = 0.4 // shown before the first round
const TAIL_S = 1.2 // and after the last
const SPAN_S_MAX = 30

export interface Placed {
  clip: Clip
  /** Seconds on the axis at which the clip begins; null where the sound's way is not known. */
  starts: number | null
  metres: number | null
}

export interface Axis {
  from: number
  to: number
}

/** Seconds that sound needs; the wind is in `travelOf`, which knows the solved onset. */
export function plainTravel(metres: number, temperatureC: number | undefined): number {
  const kelvin = (temperatureC ?? TEMPERATURE_C) + ZERO_C_IN_K
  return metres / (SOUND_M_PER_S_PER_ROOT_K * Math.sqrt(kelvin))
}

/**
 * Seconds from the muzzle to the sensor. The sensor's onset less its residual is the solved
 * arrival, with wind and all; which round it was is told by the plain speed of sound.
 */
export function travelOf(heard: Heard, shot: Shot): number {
  const plain = plainTravel(heard.metres, shot.weather?.temperature_c)
  const arrived = Date.parse(heard.onset_at) / 1000 - heard.residual_ms / 1000
  let best: number | null = null
  for (const round of shot.rounds) {
    const travel = arrived - Date.parse(round.at) / 1000
    if (best === null || Math.abs(travel - plain) < Math.abs(best - plain)) best = travel
  }
  return best !== null && Math.abs(best - plain) <= SAME_ROUND_S ? best : plain
}

/**
 * One clip a sensor, the nearest sensor first; those whose distance is not known come last. Of
 * several clips of one sensor the one that begins nearest to what it heard stands for it: it is
 * also the one that the node plays.
 */
export function placed(clips: readonly Clip[], shot: Shot): Placed[] {
  const byDevice = new Map((shot.heard ?? []).map((h) => [h.sensor, h]))
  const began = Date.parse(shot.discharged_at) / 1000
  return oneEach(clips, byDevice, shot)
    .map((clip): Placed => {
      const heard = byDevice.get(clip.sensor)
      if (!heard) return { clip, starts: null, metres: null }
      const starts = Date.parse(clip.starts_at) / 1000 - travelOf(heard, shot) - began
      return { clip, starts, metres: heard.metres }
    })
    .sort(
      (a, b) =>
        (a.metres ?? Infinity) - (b.metres ?? Infinity) ||
        a.clip.sensor.localeCompare(b.clip.sensor),
    )
}

function oneEach(clips: readonly Clip[], heard: ReadonlyMap<string, Heard>, shot: Shot): Clip[] {
  const best = new Map<string, { clip: Clip; off: number }>()
  for (const clip of clips) {
    const near = Date.parse(heard.get(clip.sensor)?.onset_at ?? shot.discharged_at)
    const off = Math.abs(Date.parse(clip.starts_at) - near)
    const known = best.get(clip.sensor)
    if (!known || off < known.off) best.set(clip.sensor, { clip, off })
  }
  return [...best.values()].map((b) => b.clip)
}

/** Rounds as seconds on the axis. */
export function roundSeconds(shot: Shot): number[] {
  const began = Date.parse(shot.discharged_at)
  return shot.rounds.map((round) => (Date.parse(round.at) - began) / 1000)
}

/** What all clips share: from a little before the first round to a little after the last. */
export function axisOf(shot: Shot, clips: readonly Placed[]): Axis {
  const rounds = roundSeconds(shot)
  const last = Math.max(0, ...rounds)
  const known = clips.filter((c) => c.starts !== null)
  const from = Math.min(0, ...rounds) - LEAD_S
  const ends = known.map((c) => c.starts! + c.clip.seconds)
  const to = Math.max(last + TAIL_S, Math.min(last + 2 * TAIL_S, ...ends))
  return { from, to: Math.min(to, from + SPAN_S_MAX) }
}

/** Where a second lies between the axis' ends, 0…1 (beyond them outside that). */
export const share = (seconds: number, axis: Axis): number =>
  (seconds - axis.from) / (axis.to - axis.from)

/** Whole steps for the axis' marks: 0.1, 0.2, 0.5, 1 … s, six to twelve of them. */
export function ticks(axis: Axis): number[] {
  const span = axis.to - axis.from
  const step = [0.1, 0.2, 0.5, 1, 2, 5].find((s) => span / s <= 12) ?? 10
  const first = Math.ceil(axis.from / step)
  const count = Math.floor(axis.to / step) - first + 1
  return Array.from({ length: count }, (_, i) => Math.round((first + i) * step * 10) / 10)
}
