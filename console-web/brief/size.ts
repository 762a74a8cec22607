/** How large three lines can be said on one screen: few words in very large type. */

const SIZES: readonly [characters: number, px: number][] = [
  [70, 40],
  [120, 34],
  [180, 29],
]
const SMALLEST_PX = 25

export function sizeOf(texts: readonly string[]): number {
  const characters = texts.reduce((sum, text) => sum + text.length, 0)
  return SIZES.find(([most]) => characters <= most)?.[1] ?? SMALLEST_PX
}
