/**
 * A brief as spoken sentences, shortest useful form first; a plate letter by letter.
 *
 * In: a brief and a catalogue. Out: text. Speaking itself is the browser's, with a voice of the
 * language where the phone has one.
 */

import type { Catalogue } from '../i18n/en'
import type { Brief, LineKind } from '../wire/model'

const NATO: Record<string, string> = {
  A: 'alpha', B: 'bravo', C: 'charlie', D: 'delta', E: 'echo', F: 'foxtrot', G: 'golf',
  H: 'hotel', I: 'india', J: 'juliett', K: 'kilo', L: 'lima', M: 'mike', N: 'november',
  O: 'oscar', P: 'papa', Q: 'quebec', R: 'romeo', S: 'sierra', T: 'tango', U: 'uniform',
  V: 'victor', W: 'whiskey', X: 'x-ray', Y: 'yankee', Z: 'zulu',
} // prettier-ignore

export function spelled(plate: string): string {
  return [...plate].map((c) => NATO[c] ?? c).join(' ')
}

export function spokenBrief(brief: Brief, t: Catalogue['brief']): string {
  if (brief.recalled) return t.spoken.recalled(brief.recall_reason ?? '')
  const parts = [t.spoken.intro(brief.unit)]
  for (const line of brief.lines) {
    if (line.kind === 'picture') continue
    const says = spelledWithin(line.says, brief.plate)
    parts.push(line.known === false ? unknownSays(line.kind, says, t) : says)
    if (line.kind === 'vehicle') {
      parts.push(line.confidence === 'confirmed' ? t.spoken.confirmed : t.spoken.machine)
    }
  }
  return parts.join(' ')
}

/** A line that says itself that it is not known need not be told so twice. */
function unknownSays(kind: LineKind, says: string, t: Catalogue['brief']): string {
  const told = says.toLowerCase().startsWith(t.notKnown.toLowerCase())
  return told ? `${t.kinds[kind]}. ${says}` : `${t.kinds[kind]}: ${t.notKnown}. ${says}`
}

function spelledWithin(says: string, plate: string | null | undefined): string {
  return plate ? says.replaceAll(plate, spelled(plate)) : says
}

export interface Speaking {
  stop: () => void
}

const SILENT_MS_MAX = 3_000 // a browser without a voice says nothing, not even that it cannot

/** Speaks; `onEnd(true)` when all was said, `onEnd(false)` when it could not; stopped, neither. */
export function speak(text: string, language: string, onEnd: (heard: boolean) => void): Speaking | null {
  if (typeof speechSynthesis === 'undefined') return null
  speechSynthesis.cancel()
  const voices = speechSynthesis.getVoices()
  const utterance = new SpeechSynthesisUtterance(text)
  utterance.lang = language
  const voice = voices.find((v) => v.lang.startsWith(language.slice(0, 2)))
  if (voice) utterance.voice = voice
  utterance.rate = 1.02
  let over = false
  const end = (heard: boolean) => {
    if (over) return
    over = true
    clearTimeout(watch)
    onEnd(heard)
  }
  const watch = setTimeout(() => {
    speechSynthesis.cancel()
    end(false)
  }, SILENT_MS_MAX)
  utterance.onstart = () => clearTimeout(watch)
  utterance.onend = () => end(true)
  utterance.onerror = () => end(false)
  speechSynthesis.speak(utterance)
  return {
    stop: () => {
      over = true
      clearTimeout(watch)
      speechSynthesis.cancel()
    },
  }
}
