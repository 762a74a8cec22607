/**
 * What a tile says of its camera: one shape and one word, and what to do.
 *
 * In: what the line, the picture process and the eye of the sweep know. Out: the one thing that
 * matters most. Shape says the same as the word, so that colour is never needed.
 */

import type { EndReason, ImageFault, PictureState } from '../wire/video'
import type { Freshness } from './player/age'
import type { Phase } from './player/line'
import type { Lost } from './player/retry'

export type Shape = 'live' | 'wait' | 'old' | 'fault' | 'stop' | 'empty'

export type Standing =
  | { of: 'live'; shape: 'live' }
  | { of: 'opening'; shape: 'wait' }
  | { of: 'old'; shape: 'old' }
  | { of: 'fault'; shape: 'fault'; fault: ImageFault }
  | { of: 'state'; shape: Shape; state: PictureState }
  | { of: 'end'; shape: Shape; why: EndReason | 'line' | 'away' }
  | { of: 'refused'; shape: 'stop' }
  | { of: 'cannot'; shape: 'stop' }
  | { of: 'still'; shape: 'old' }
  | { of: 'off'; shape: 'empty' }

/** What is told of a camera before anybody looks. */
export const SHAPE_OF: Record<PictureState, Shape> = {
  unknown: 'empty',
  connecting: 'wait',
  live: 'live',
  stalled: 'old',
  unreachable: 'fault',
  refused: 'fault',
  not_found: 'fault',
  unsupported: 'fault',
  malformed: 'fault',
  not_a_picture: 'fault',
  too_much: 'fault',
  blocked: 'stop',
  no_consent: 'stop',
}

export interface Known {
  phase: Phase
  lost: Lost | null
  state: PictureState
  freshness: Freshness
  faults: readonly ImageFault[]
  cannot: boolean // this browser shows no pictures of this kind
  isRested?: boolean // one picture was asked for, and came
}

export function standingOf({ phase, lost, state, freshness, faults, cannot, isRested }: Known): Standing {
  if (cannot) return { of: 'cannot', shape: 'stop' }
  if (isRested) return freshness === 'fresh' ? { of: 'still', shape: 'old' } : { of: 'old', shape: 'old' }
  if (phase === 'off') return { of: 'off', shape: 'empty' }
  if (phase === 'refused') return { of: 'refused', shape: 'stop' }
  if (phase === 'ended') return { of: 'end', shape: 'stop', why: lost ?? 'line' }
  if (phase === 'again' || (lost !== null && phase !== 'open')) {
    return { of: 'end', shape: 'wait', why: lost ?? 'line' }
  }
  if (phase !== 'open') return { of: 'opening', shape: 'wait' }
  if (SHAPE_OF[state] === 'fault' || SHAPE_OF[state] === 'stop') {
    return { of: 'state', shape: SHAPE_OF[state], state }
  }
  if (state === 'stalled') return { of: 'state', shape: 'old', state }
  if (freshness === 'old') return { of: 'old', shape: 'old' }
  if (freshness === 'none') return { of: 'opening', shape: 'wait' }
  const fault = faults.find((f) => f === 'frozen') ?? faults[0]
  return fault ? { of: 'fault', shape: 'fault', fault } : { of: 'live', shape: 'live' }
}
