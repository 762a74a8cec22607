/** What a tile says, in the language of the screen. */

import type { Catalogue } from '../i18n/en'
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
