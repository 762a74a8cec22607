/**
 * The officer's taps, as letters to the node that may wait for the line.
 *
 * In: a brief and what was tapped. Out: outbox items; which status comes next. Never: a line of
 * the brief in an item, since items are written to the phone.
 */

import type { AnswerKind, Brief, Outcome, ReceiptKind, UnitStatus } from '../wire/model'
import type { OutboxItem } from '../wire/outbox'

export const QUESTION_CHARACTERS_MAX = 200 // the node takes no more

export type StatusKind = Exclude<AnswerKind, 'ask_rtcc'>
export const STATUSES: readonly StatusKind[] = ['en_route', 'on_scene', 'clear']
export const OUTCOMES: readonly Outcome[] = ['right_car', 'wrong_car', 'gone']

/** What will most likely be tapped next; none once the unit is clear. */
export function nextStatus(said: StatusKind | null): StatusKind | null {
  return said === null ? STATUSES[0]! : (STATUSES[STATUSES.indexOf(said) + 1] ?? null)
}

const TOLD: Record<UnitStatus, StatusKind | null> = {
  assigned: null,
  en_route: 'en_route',
  on_scene: 'on_scene',
  cleared: 'clear',
}

/** The furthest of what was tapped here and what the node knows, by whomever it was told. */
export function furthest(said: StatusKind | null, told: UnitStatus | null | undefined): StatusKind | null {
  const known = told ? TOLD[told] : null
  const stepOf = (status: StatusKind | null) => (status === null ? -1 : STATUSES.indexOf(status))
  return stepOf(known) > stepOf(said) ? known : said
}

export function receiptItem(brief: Brief, kind: ReceiptKind): OutboxItem {
  return {
    key: `${brief.brief_id}/${brief.version}/${kind}`,
    kind: 'receipt',
    path: `/api/briefs/${brief.brief_id}/receipt`,
    body: { version: brief.version, kind },
  }
}

/** A second tap replaces the first as long as that has not left. */
export function outcomeItem(brief: Brief, outcome: Outcome): OutboxItem {
  return {
    key: `${brief.brief_id}/outcome`,
    kind: 'outcome',
    path: `/api/briefs/${brief.brief_id}/outcome`,
    body: { outcome },
  }
}

/** Each tap is an answer of its own: sent twice over a bad line, the node keeps it once. */
export function answerItem(
  brief: Brief,
  kind: AnswerKind,
  says: string,
  answer_id: string,
  tapped_at: string,
): OutboxItem {
  return {
    key: `${brief.brief_id}/answer/${answer_id}`,
    kind: 'answer',
    path: `/api/briefs/${brief.brief_id}/answer`,
    body: { answer_id, kind, says: says.slice(0, QUESTION_CHARACTERS_MAX), tapped_at },
  }
}

/** UUIDv7 (RFC 9562). Made by hand: `crypto.randomUUID` is missing where the line is plain HTTP. */
export function newId(now: number, random: Uint8Array): string {
  const bytes = Uint8Array.from(random.subarray(0, 16))
  for (let i = 0; i < 6; i += 1) bytes[i] = Math.floor(now / 2 ** (8 * (5 - i))) & 0xff
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
