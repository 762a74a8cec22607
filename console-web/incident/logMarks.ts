/** Stable marks for the log's stable words: the same event has the same sign in any language. */

import type { IconName } from '../look/Icon.svelte'

export interface LogMark {
  icon: IconName
  tone: 'plain' | 'good' | 'ask' | 'bad'
}

const PLAIN: LogMark = { icon: 'dots', tone: 'plain' }

// The longest beginning that fits decides.
const MARKS: readonly (readonly [string, LogMark])[] = [
  ['unit', { icon: 'person', tone: 'plain' }],
  ['unit_on_scene', { icon: 'check', tone: 'good' }],
  ['unit_near', { icon: 'check', tone: 'good' }],
  ['call', { icon: 'plus', tone: 'plain' }],
  ['note', { icon: 'keyboard', tone: 'plain' }],
  ['hazard', { icon: 'warn', tone: 'bad' }],
  ['alert', { icon: 'plus', tone: 'plain' }],
  ['alert_seen', { icon: 'eye', tone: 'plain' }],
  ['alert_confirmed', { icon: 'check', tone: 'good' }],
  ['alert_rejected', { icon: 'cross', tone: 'plain' }],
  ['alert_recalled', { icon: 'warn', tone: 'bad' }],
  ['shot', { icon: 'wave', tone: 'plain' }],
  ['shot_confirmed', { icon: 'check', tone: 'good' }],
  ['shot_rejected', { icon: 'cross', tone: 'plain' }],
  ['shot_revised', { icon: 'differs', tone: 'plain' }],
  ['shot_closed', { icon: 'lock', tone: 'plain' }],
  ['transferred', { icon: 'differs', tone: 'plain' }],
  ['reopened', { icon: 'plus', tone: 'plain' }],
  ['report', { icon: 'plus', tone: 'plain' }],
  ['join', { icon: 'plus', tone: 'plain' }],
  ['part', { icon: 'plus', tone: 'plain' }],
  ['open', { icon: 'plus', tone: 'plain' }],
  ['split', { icon: 'minus', tone: 'plain' }],
  ['fact', { icon: 'eye', tone: 'plain' }],
  ['picture', { icon: 'eye', tone: 'plain' }],
  ['brief', { icon: 'sound', tone: 'plain' }],
  ['receipt', { icon: 'check', tone: 'good' }],
  ['delivered', { icon: 'check', tone: 'good' }],
  ['opened', { icon: 'check', tone: 'good' }],
  ['heard', { icon: 'check', tone: 'good' }],
  ['answer', { icon: 'person', tone: 'good' }],
  ['ask', { icon: 'ask', tone: 'ask' }],
  ['doubt', { icon: 'ask', tone: 'ask' }],
  ['recall', { icon: 'warn', tone: 'bad' }],
  ['refused', { icon: 'warn', tone: 'bad' }],
  ['close', { icon: 'lock', tone: 'plain' }],
]

export function markOf(what: string): LogMark {
  let best: readonly [string, LogMark] | null = null
  for (const entry of MARKS) {
    if (what.startsWith(entry[0]) && entry[0].length > (best?.[0].length ?? 0)) best = entry
  }
  return best?.[1] ?? PLAIN
}
