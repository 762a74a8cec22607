/**
 * A brief as spoken sentences: about twelve seconds, whole sentences only, a plate letter by letter.
 *
 * In: a brief, the screen's words and a catalogue of phrases. Out: text. Speaking itself is the
 * browser's, with a voice of the language where the phone has one.
 */

import type { Catalogue } from '../i18n/en'
import type { Brief, BriefLine, LineKind, Phrase } from '../wire/model'
import { changedLines, changeSays, lineSays, plateStanding, say, shortFlag, type Words } from './words'

export const WORDS_MAX = 35 // about 12 s; what does not fit stays on the card, and that is said
const FIRST_KINDS: readonly LineKind[] = ['what', 'where', 'hazards']
const NOT_SAID: ReadonlySet<string> = new Set(['where.within', 'where.about', 'what.callers'])

// APCO's alphabet, as police radio spells: "Adam Boy Charles" are letters to an officer at once.
const APCO: Record<string, string> = {
  A: 'Adam', B: 'Boy', C: 'Charles', D: 'David', E: 'Edward', F: 'Frank', G: 'George',
  H: 'Henry', I: 'Ida', J: 'John', K: 'King', L: 'Lincoln', M: 'Mary', N: 'Nora', O: 'Ocean',
  P: 'Paul', Q: 'Queen', R: 'Robert', S: 'Sam', T: 'Tom', U: 'Union', V: 'Victor',
  W: 'William', X: 'X-ray', Y: 'Young', Z: 'Zebra',
} // prettier-ignore

export function spelled(plate: string): string {
  return [...plate].map((c) => APCO[c] ?? c).join(' ')
}

export function spokenBrief(brief: Brief, t: Catalogue['brief'], words: Words = {}): string {
  if (brief.recalled) return t.spoken.recalled(brief.recall_reason ?? '')
  return fitting(t.spoken.intro(brief.unit), brief.lines, brief, t, words)
}

/** What is new since the version that the officer had; several missed versions are one change. */
export function spokenChange(
  before: Brief,
  after: Brief,
  t: Catalogue['brief'],
  words: Words = {},
): string {
  if (after.recalled) return t.spoken.recalled(after.recall_reason ?? '')
  const lines = changedLines(before, after).filter((line) => line.kind !== 'picture')
  const isNext = after.version === before.version + 1
  if (!isNext && lines.length) {
    return fitting(t.spoken.updates(after.version - before.version), lines, after, t, words)
  }
  const phrases = after.change_phrases?.map((phrase) => saidPhrase(phrase, words))
  const isSayable = phrases?.length && !phrases.includes(null)
  return isSayable ? phrases.join(' ') : spelledWithin(changeSays(after, words), after.plate)
}

/** The first sentence of what, where and hazards before all others, in the order they stand. */
function fitting(
  intro: string,
  lines: readonly BriefLine[],
  brief: Brief,
  t: Catalogue['brief'],
  words: Words,
): string {
  const sentences = lines.flatMap((line) =>
    sentencesOf(line, brief, t, words).map((text, i) => ({
      text,
      isFirst: i === 0 && FIRST_KINDS.includes(line.kind),
    })),
  )
  let left = WORDS_MAX - count(intro) - count(t.spoken.more)
  const taken = new Set<string>()
  for (const { text } of [...sentences].sort((a, b) => Number(b.isFirst) - Number(a.isFirst))) {
    if (count(text) > left) continue
    taken.add(text)
    left -= count(text)
  }
  const said = sentences.map(({ text }) => text).filter((text) => taken.has(text))
  const isWhole = said.length === sentences.length
  return [intro, ...said, ...(isWhole ? [] : [t.spoken.more])].join(' ')
}

const count = (text: string): number => text.split(/\s+/).length

function sentencesOf(
  line: BriefLine,
  brief: Brief,
  t: Catalogue['brief'],
  words: Words,
): readonly string[] {
  if (line.kind === 'picture') return []
  const phrases = line.phrases
    ?.filter((phrase) => !NOT_SAID.has(phrase.key))
    .map((phrase) => saidPhrase(phrase, words))
  if (phrases?.length && !phrases.includes(null)) return phrases as string[]
  const says = spelledWithin(lineSays(line, words), brief.plate)
  if (line.known === false) return [unknownSays(line.kind, says, t)]
  if (line.kind !== 'vehicle' || !brief.plate) return [says]
  return [says, plateStanding(brief) === 'confirmed' ? t.spoken.confirmed : t.spoken.machine]
}

/** A phrase for the ear: plates spelled, a flag without its source and dates. */
function saidPhrase(phrase: Phrase, words: Words): string | null {
  const args = { ...phrase.args }
  if (typeof args['plate'] === 'string') args['plate'] = spelled(args['plate'])
  return say(shortFlag({ key: phrase.key, args }), words) ?? say({ key: phrase.key, args }, words)
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
  const sentences = text.match(/\S.*?(?:[.!?](?=\s|$)|$)/gs) ?? []
  const cut: string[] = []
  for (const sentence of sentences) {
    const last = cut.at(-1)
    if (last !== undefined && last.length + sentence.length < PIECE_CHARACTERS_MAX) {
      cut[cut.length - 1] = `${last} ${sentence}`
    } else cut.push(sentence)
  }
  return cut
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
