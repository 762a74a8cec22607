/**
 * A brief as spoken sentences, shortest useful form first; a plate letter by letter.
 *
 * In: a brief, the screen's words and a catalogue of phrases. Out: text. Speaking itself is the
 * browser's, with a voice of the language where the phone has one.
 */

import type { Catalogue } from '../i18n/en'
import type { Brief, BriefLine, LineKind } from '../wire/model'
import { changedLines, changeSays, lineSays, plateStanding, type Words } from './words'

const NATO: Record<string, string> = {
  A: 'alpha', B: 'bravo', C: 'charlie', D: 'delta', E: 'echo', F: 'foxtrot', G: 'golf',
  H: 'hotel', I: 'india', J: 'juliett', K: 'kilo', L: 'lima', M: 'mike', N: 'november',
  O: 'oscar', P: 'papa', Q: 'quebec', R: 'romeo', S: 'sierra', T: 'tango', U: 'uniform',
  V: 'victor', W: 'whiskey', X: 'x-ray', Y: 'yankee', Z: 'zulu',
} // prettier-ignore

export function spelled(plate: string): string {
  return [...plate].map((c) => NATO[c] ?? c).join(' ')
}

export function spokenBrief(brief: Brief, t: Catalogue['brief'], words: Words = {}): string {
  if (brief.recalled) return t.spoken.recalled(brief.recall_reason ?? '')
  const lines = brief.lines.flatMap((line) => spokenLine(line, brief, t, words))
  return [t.spoken.intro(brief.unit), ...lines].join(' ')
}

/** What is new since the version that the officer had; several missed versions are one change. */
export function spokenChange(
  before: Brief,
  after: Brief,
  t: Catalogue['brief'],
  words: Words = {},
): string {
  if (after.recalled) return t.spoken.recalled(after.recall_reason ?? '')
  const isNext = after.version === before.version + 1
  const lines = changedLines(before, after).flatMap((l) => spokenLine(l, after, t, words))
  if (isNext || !lines.length) return spelledWithin(changeSays(after, words), after.plate)
  return [t.spoken.updates(after.version - before.version), ...lines].join(' ')
}

function spokenLine(
  line: BriefLine,
  brief: Brief,
  t: Catalogue['brief'],
  words: Words,
): readonly string[] {
  if (line.kind === 'picture') return []
  const says = spelledWithin(lineSays(line, words), brief.plate)
  const parts = [line.known === false ? unknownSays(line.kind, says, t) : says]
  if (line.kind === 'vehicle' && brief.plate) {
    const standing = plateStanding(brief)
    if (standing === 'confirmed') parts.push(t.spoken.confirmed)
    if (standing === 'told') parts.push(t.spoken.machine)
  }
  return parts
}

/** A line that says itself that it is not known need not be told so twice. */
function unknownSays(kind: LineKind, says: string, t: Catalogue['brief']): string {
  const told = says.toLowerCase().startsWith(t.notKnown.toLowerCase())
  return told ? `${t.kinds[kind]}. ${says}` : `${t.kinds[kind]}: ${t.notKnown}. ${says}`
}

function spelledWithin(says: string, plate: string | null | undefined): string {
  return plate ? says.replaceAll(plate, spelled(plate)) : says
}

const PIECE_CHARACTERS_MAX = 180 // some browsers fall silent in the middle of longer ones

/** Cut at the ends of sentences, so that each piece is short enough to be spoken to its end. */
export function pieces(text: string): readonly string[] {
  const sentences = text.match(/[^.!?]+(?:[.!?]+(?=\s|$)|$)|[.!?]+\S*/g) ?? []
  const cut: string[] = []
  for (const sentence of sentences) {
    const last = cut.at(-1)
    if (last !== undefined && last.length + sentence.length <= PIECE_CHARACTERS_MAX) {
      cut[cut.length - 1] = last + sentence
    } else cut.push(sentence)
  }
  return cut.map((piece) => piece.trim()).filter(Boolean)
}

export interface Speaking {
  stop: () => void
}

const SILENT_MS_MAX = 3_000 // a browser without a voice says nothing, not even that it cannot
const STUCK_MS_A_CHARACTER = 200 // far slower than any voice: it hangs

export function hasSpeech(): boolean {
  return typeof speechSynthesis !== 'undefined'
}

/** Has the phone a voice of this language? Unknown (null) while it names no voices at all. */
export function hasVoice(language: string): boolean | null {
  if (!hasSpeech()) return false
  const voices = speechSynthesis.getVoices()
  return voices.length ? voices.some((v) => speaksIt(v, language)) : null
}

function speaksIt(voice: SpeechSynthesisVoice, language: string): boolean {
  return voice.lang.toLowerCase().split(/[-_]/)[0] === language.toLowerCase().split('-')[0]
}

/** Speaks; `onEnd(true)` when all was said, `onEnd(false)` when it could not; stopped, neither. */
export function speak(text: string, language: string, onEnd: (heard: boolean) => void): Speaking | null {
  if (!hasSpeech()) return null
  speechSynthesis.cancel()
  const voice = speechSynthesis.getVoices().find((v) => speaksIt(v, language))
  const left = [...pieces(text)]
  let over = false
  let stopPiece: () => void = () => undefined
  const next = (heard: boolean) => {
    const piece = heard ? left.shift() : undefined
    if (over) return
    if (piece !== undefined) stopPiece = speakPiece(piece, language, voice, next)
    else {
      over = true
      if (!heard) speechSynthesis.cancel()
      onEnd(heard)
    }
  }
  next(left.length > 0)
  return {
    stop: () => {
      over = true
      stopPiece()
      speechSynthesis.cancel()
    },
  }
}

/** Truly heard is only what was begun and ended by the voice itself. */
function speakPiece(
  piece: string,
  language: string,
  voice: SpeechSynthesisVoice | undefined,
  onEnd: (heard: boolean) => void,
): () => void {
  const utterance = new SpeechSynthesisUtterance(piece)
  utterance.lang = voice?.lang ?? language
  if (voice) utterance.voice = voice
  utterance.rate = 1.02
  let begun = false
  let over = false
  const end = (heard: boolean) => {
    if (over) return
    over = true
    clearTimeout(watch)
    onEnd(heard)
  }
  let watch = setTimeout(() => end(false), SILENT_MS_MAX)
  utterance.onstart = () => {
    begun = true
    clearTimeout(watch)
    watch = setTimeout(() => end(false), SILENT_MS_MAX + piece.length * STUCK_MS_A_CHARACTER)
  }
  utterance.onend = () => end(begun)
  utterance.onerror = () => end(false)
  speechSynthesis.speak(utterance)
  return () => {
    over = true
    clearTimeout(watch)
  }
}
