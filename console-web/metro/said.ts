/** What a deed says in the tongue of the page. In: a deed and the words. Never: a fact of its own. */

import type { Catalogue } from '../i18n/en'
import { type Deed, list, nameOf, number, receiptOf, text, type TourView } from './story'

type Words = Catalogue['metro']

// Done by the node, whoever's request it was.
const BY_NODE: readonly string[] = ['did_not_leave', 'was_answered', 'was_refused', 'verified', 'purged', 'cosigned']

export function whoOf(deed: Deed, t: Words): string {
  return deed.person && !BY_NODE.includes(deed.what) ? deed.person : t.node
}

export function sentenceOf(deed: Deed, view: TourView, t: Words, told: (n: number) => string): string {
  const d = t.did
  const say = (word: string) => text(deed.told, word)
  const count = (word: string) => number(deed.told, word) ?? 0
  const why = say('reason') === 'no_agreement' ? d.noAgreement : say('says')
  switch (deed.what) {
    case 'wonders':
      return d.wonders(say('plate'), told(count('owners')), say('case'))
    case 'asked':
    case 'listed':
      return d[deed.what](say('plate'))
    case 'did_not_leave':
      return d.did_not_leave(why)
    case 'was_refused':
      return d.was_refused(deed.person, why)
    case 'signed':
      return d.signed(count('number'), count('of'))
    case 'drafted':
    case 'tried':
    case 'verified':
    case 'saw_recall':
    case 'revoked':
      return d[deed.what]
    case 'was_answered': {
      const reads = list(deed.told, 'reads').length
      return reads ? d.was_answered(deed.person, reads) : d.found_nothing(deed.person)
    }
    case 'was_told':
      return d.was_told(say('title'))
    case 'recalled':
      return d.recalled(say('reason'))
    case 'purged': {
      const kept = count('kept')
      const deleted = d.purged(told(number(receiptOf(deed.told), 'count') ?? 0))
      return `${deleted} ${kept ? d.kept(told(kept)) : d.keptNone}`
    }
    case 'proved':
      return (deed.told['ok'] === true ? d.proved : d.not_proved)(told(count('entries')))
    case 'cosigned':
      return d.cosigned(list(deed.told, 'ledgers').map((name) => nameOf(view, String(name))).join(t.and))
    default:
      return deed.what.replaceAll('_', ' ')
  }
}
