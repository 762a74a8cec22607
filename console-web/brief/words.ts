/**
 * Phrases as sentences of a language: the same rules as the node's own `briefing.words`.
 *
 * In: a phrase (a key and what goes into it) and a catalogue. Out: the sentence, or null where
 * the catalogue cannot say it: then the caller falls back to what the agency itself said.
 * Never: half a sentence.
 */

import type { Brief, BriefLine, Phrase } from '../wire/model'

export type Words = Readonly<Record<string, string>>

const NAME = /\{(\w+)\}/g

/** An argument "@key" is itself a key; with an argument `n`, `key.one` or `key.other` is taken. */
export function say(phrase: Phrase, words: Words): string | null {
  const args = phrase.args ?? {}
  const template = templateOf(phrase.key, args['n'], words)
  if (template === undefined) return null
  let missing = false
  const said = template.replace(NAME, (_, name: string) => {
    const value = valueOf(args[name], words)
    missing ||= value === null
    return value ?? ''
  })
  return missing ? null : said
}

function templateOf(key: string, n: unknown, words: Words): string | undefined {
  const plural = n === undefined ? undefined : own(words, `${key}.${n === 1 ? 'one' : 'other'}`)
  return plural ?? own(words, key)
}

function valueOf(value: string | number | undefined, words: Words): string | null {
  if (value === undefined) return null
  if (typeof value === 'number' || !value.startsWith('@')) return String(value)
  return own(words, value.slice(1)) ?? value
}

function own(words: Words, key: string): string | undefined {
  return Object.hasOwn(words, key) ? words[key] : undefined
}

/** Phrases one after the other; null where there are none or one cannot be said. */
export function sayAll(phrases: readonly Phrase[] | undefined, words: Words): string | null {
  if (!phrases?.length) return null
  const said = phrases.map((phrase) => say(phrase, words))
  return said.includes(null) ? null : said.join(' ')
}

export const lineSays = (line: BriefLine, words: Words): string =>
  sayAll(line.phrases, words) ?? line.says

/** A line as it is shown: what stands beside it in a form of its own is not said twice. */
export function lineShown(line: BriefLine, words: Words, leftOut: readonly string[]): string {
  const shown = line.phrases?.filter((p) => !leftOut.some((key) => p.key.startsWith(key)))
  return sayAll(shown, words) ?? lineSays(line, words)
}

const DOUBT = /^differ\.|^where\.(about|doubtful|places_differ|not_found)$/

/** A line in two: what must catch the eye (each flag of danger, each doubt), and the rest. */
export function lineInTwo(
  line: BriefLine,
  words: Words,
  leftOut: readonly string[],
): { lead: string; rest: string } {
  const all = lineShown(line, words, leftOut)
  const shown = line.phrases?.filter((p) => !leftOut.some((key) => p.key.startsWith(key))) ?? []
  const isLead = (phrase: Phrase, at: number) =>
    at === 0 || isFlag(phrase) || phrase.key === SHORT_FLAG || DOUBT.test(phrase.key)
  const lead = sayAll(shown.filter(isLead), words)
  const others = shown.filter((phrase, at) => !isLead(phrase, at))
  const rest = others.length ? sayAll(others, words) : ''
  return lead !== null && rest !== null ? { lead, rest } : { lead: all, rest: '' }
}

const SHORT_FLAG = 'spoken.flag'
export const isFlag = (phrase: Phrase): boolean => /^hazards\.flag(_until)?$/.test(phrase.key)

/** A flag of danger without its source and dates: for the ear and for one glance at the wheel. */
export function shortFlag(phrase: Phrase): Phrase {
  return isFlag(phrase) ? { key: SHORT_FLAG, args: phrase.args } : phrase
}

export const sourceSays = (line: BriefLine, words: Words): string =>
  (line.source_phrase ? say(line.source_phrase, words) : null) ?? line.source

export const changeSays = (brief: Brief, words: Words): string =>
  sayAll(brief.change_phrases, words) ?? brief.change

/** The lines of `after` that say something else than in `before`. */
export function changedLines(before: Brief, after: Brief): readonly BriefLine[] {
  return after.lines.filter((line) => {
    const was = before.lines.find((l) => l.kind === line.kind)
    return !was || was.says !== line.says || (was.known ?? true) !== (line.known ?? true)
  })
}

/** The plate in large type: the brief's own, else the first that a caller told. */
export function plateShown(brief: Brief): { plate: string; state: string | null } | null {
  if (brief.plate) return { plate: brief.plate, state: brief.state ?? null }
  const line = brief.lines.find((l) => l.kind === 'vehicle')
  const { plate, state } = line?.phrases?.find((p) => TOLD_PLATES.has(p.key))?.args ?? {}
  if (!plate) return null
  return { plate: String(plate), state: state && !String(state).startsWith('@') ? String(state) : null }
}

const TOLD_PLATES: ReadonlySet<string> = new Set(['vehicle.told_plate', 'vehicle.plate_told'])

export type PlateStanding = 'confirmed' | 'told' | 'withdrawn'

/** Did a person compare this plate with a row? A caller's word alone is never confirmed. */
export function plateStanding(brief: Brief): PlateStanding {
  const line = brief.lines.find((l) => l.kind === 'vehicle')
  const plate = plateShown(brief)?.plate
  const has = (key: string) => line?.phrases?.some((p) => p.key === key && p.args?.['plate'] === plate) ?? false
  if (brief.recalled || has('vehicle.withdrawn')) return 'withdrawn'
  if (line?.phrases?.length) return has('vehicle.confirmed') ? 'confirmed' : 'told'
  return line?.confidence === 'confirmed' || (brief.alert_id && brief.confirmed_by) ? 'confirmed' : 'told'
}
