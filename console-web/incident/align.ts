/**
 * The listed plate above the read one, character over character.
 *
 * In: a match. Out: one column a character, marked where a person should look.
 * Plates of different length are laid out by the cheapest edits (Wagner and Fischer, 1974).
 */

import type { Match } from '../wire/model'

export interface Column {
  listed: string | null
  read: string | null
  sure: number | null // the reader's own confidence in this character, 0…1
  mark: 'same' | 'differs' | 'look'
  alternatives: string
}

export function columns(match: Match): Column[] {
  const { read, entry } = match
  const differing = new Set(match.differing ?? [])
  const doubts = new Map((match.doubtful ?? []).map((at, i) => [at, match.alternatives?.[i] ?? '']))
  return pairs(entry.plate, read.plate).map(([listedAt, readAt]) => {
    const listed = listedAt === null ? null : (entry.plate[listedAt] ?? null)
    const seen = readAt === null ? null : (read.plate[readAt] ?? null)
    const differs = listed !== seen || (listedAt !== null && differing.has(listedAt))
    const doubtful = listedAt !== null && doubts.has(listedAt)
    return {
      listed,
      read: seen,
      sure: readAt === null ? null : (read.characters?.[readAt] ?? null),
      mark: differs ? 'differs' : doubtful ? 'look' : 'same',
      alternatives: listedAt === null ? '' : (doubts.get(listedAt) ?? ''),
    }
  })
}

type Pair = [number | null, number | null]

export function pairs(listed: string, read: string): Pair[] {
  if (listed.length === read.length) return [...listed].map((_, i): Pair => [i, i])
  const cost = costs(listed, read)
  const at = (i: number, j: number) => cost[i]?.[j] ?? Infinity
  const found: Pair[] = []
  let i = listed.length
  let j = read.length
  while (i > 0 || j > 0) {
    const same = listed[i - 1] === read[j - 1] ? 0 : 1
    if (i > 0 && j > 0 && at(i, j) === at(i - 1, j - 1) + same) found.push([--i, --j])
    else if (i > 0 && at(i, j) === at(i - 1, j) + 1) found.push([--i, null])
    else found.push([null, --j])
  }
  return found.reverse()
}

function costs(listed: string, read: string): number[][] {
  const rows: number[][] = [Array.from({ length: read.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= listed.length; i += 1) {
    const above = rows[i - 1] ?? []
    const row = [i]
    for (let j = 1; j <= read.length; j += 1) {
      const same = listed[i - 1] === read[j - 1] ? 0 : 1
      row.push(
        Math.min((above[j - 1] ?? 0) + same, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1),
      )
    }
    rows.push(row)
  }
  return rows
}
