/** Metres a second as people here say it. */

import type { Catalogue } from '../i18n/en'

const MPH_A_MPS = 2.236_936
const STANDING_BELOW_MPH = 2 // satellite positions tremble

export function speedWords(mps: number | null, t: Catalogue['map']): string | null {
  if (mps === null) return null
  const mph = Math.round(mps * MPH_A_MPS)
  return mph < STANDING_BELOW_MPH ? t.standing : t.mph(String(mph))
}
