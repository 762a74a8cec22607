/**
 * When a car last seen elsewhere could pass a camera, counted down.
 *
 * In: the window's two ends and the node's clock. Out: before, within or after, and the seconds.
 */

export interface Passing {
  phase: 'in' | 'now' | 'passed'
  seconds: number // until it begins, until it ends, since it ended
}

export function passingAt(earliestAt: string, latestAt: string, nowMs: number): Passing {
  const [from, to] = [Date.parse(earliestAt), Date.parse(latestAt)]
  if (nowMs < from) return { phase: 'in', seconds: Math.ceil((from - nowMs) / 1000) }
  if (nowMs <= to) return { phase: 'now', seconds: Math.ceil((to - nowMs) / 1000) }
  return { phase: 'passed', seconds: Math.floor((nowMs - to) / 1000) }
}

/** 0:42, 12:05, 1:02:05. */
export function clockWords(seconds: number): string {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const two = (n: number) => String(n).padStart(2, '0')
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}
