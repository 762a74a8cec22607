/** What a tile says, in the language of the screen. */

import type { Catalogue } from '../i18n/en'
import { IMAGE_FAULTS, PICTURE_STATES, type Reason } from '../wire/video'
import type { Player } from './player/player.svelte'
import type { Standing } from './tileState'

export interface Said {
  word: string
  says: string // what it means, and what to do
}

type VideoWords = Catalogue['video']

export function standingWords(standing: Standing, t: VideoWords): Said {
  switch (standing.of) {
    case 'live':
      return { word: t.live, says: '' }
    case 'opening':
      return { word: t.opening, says: '' }
    case 'old':
      return { word: t.old, says: t.oldSays }
    case 'fault':
      return { word: t.faults[standing.fault], says: '' }
    case 'state':
      return { word: t.states[standing.state], says: t.stateSays[standing.state] }
    case 'end':
      return { word: t.ends[standing.why], says: t.endSays[standing.why] }
    case 'refused':
      return { word: t.refused, says: '' }
    case 'cannot':
      return { word: t.cannot, says: t.cannotSays }
    case 'still':
      return { word: t.oneStill, says: '' }
    case 'off':
      return { word: t.off, says: t.offSays }
  }
}

/** How the picture comes, where that is not every picture of the whole camera. */
export function qualityWords(player: Player, t: VideoWords): string {
  if (player.isStill || player.mode === 'still') return t.still
  if (player.why === 'slow') return t.why.slow
  return player.quality === 'full' ? '' : t.quality[player.quality]
}

/** A reason of the node in the screen's language; in the node's English where it has a new word. */
export function reasonWords({ word, says, values = {} }: Reason, t: VideoWords): string {
  const own = t.best.reasons[word]
  if (own) return own(values)
  const state = PICTURE_STATES.find((s) => word === `state_${s}` || word === `state_${s}_since`)
  if (state) {
    const what = t.states[state]
    return values['since'] === undefined ? what : t.best.since(what, String(values['since']))
  }
  const fault = IMAGE_FAULTS.find((f) => word === `fault_${f}`)
  return fault ? t.faults[fault] : says
}
