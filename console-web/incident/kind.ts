/** What happened, in the reader's language, beside the dispatcher's own word where it differs. */

import type { Catalogue } from '../i18n/en'
import { countOf } from '../wire/incidents'
import type { Incident } from '../wire/model'

interface Kinded {
  kind?: string
  kind_says?: string
}

export function kindWords(event: Kinded, t: Catalogue): { ours: string; theirs: string | null } {
  const kind = event.kind ?? 'other'
  const ours = t.kinds[kind] ?? kind.replaceAll('_', ' ')
  const told = event.kind_says?.trim()
  if (!told) return { ours, theirs: null }
  // "Other" says nothing that the dispatcher's word does not say better.
  if (kind === 'other') return { ours: told, theirs: null }
  return { ours, theirs: plain(told) === plain(ours) ? null : told }
}

function plain(words: string): string {
  return words.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '')
}

/** "2 calls, 1 alert": what was joined into one row. */
export function partsWords(incident: Incident, t: Catalogue['calls']): string {
  const words: [number, (n: number) => string][] = [
    [countOf(incident, 'call'), t.countCalls],
    [countOf(incident, 'alert'), t.countAlerts],
    [countOf(incident, 'shot'), t.countShots],
    [countOf(incident, 'report'), t.countReports],
  ]
  return words
    .filter(([n]) => n > 0)
    .map(([n, say]) => say(n))
    .join(', ')
}
