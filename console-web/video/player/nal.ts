/**
 * As much of H.264 as a player must read: where the SPS lies and which codec string it means.
 *
 * ITU-T H.264 Annex B (start codes) and 7.3.2.1.1 (SPS); RFC 6381 §3.3 (`avc1.PPCCLL`).
 */

const SPS = 7
const LOOKED_THROUGH_MAX = 4096 // parameter sets stand first; a picture is not searched for them

/** The first SPS of an access unit, without its start code; null where there is none. */
export function findSps(unit: Uint8Array): Uint8Array | null {
  const end = Math.min(unit.length, LOOKED_THROUGH_MAX)
  let from = nextNal(unit, 0, end)
  while (from < end) {
    const next = nextNal(unit, from, end)
    if ((unit[from]! & 0x1f) === SPS) {
      const stop = next < end ? next - 3 : end
      return trimmed(unit.subarray(from, stop))
    }
    from = next
  }
  return null
}

/** Where the next NAL unit begins, after its start code; `end` where there is none. */
function nextNal(unit: Uint8Array, from: number, end: number): number {
  for (let i = from; i + 3 < end; i += 1) {
    if (unit[i] === 0 && unit[i + 1] === 0 && unit[i + 2] === 1) return i + 3
  }
  return end
}

/** A start code of four bytes leaves a zero behind. */
function trimmed(nal: Uint8Array): Uint8Array {
  let end = nal.length
  while (end > 0 && nal[end - 1] === 0) end -= 1
  return nal.subarray(0, end)
}

/** `avc1.` with profile, constraints and level, as the SPS says them; null where it is too short. */
export function codecOf(sps: Uint8Array): string | null {
  if (sps.length < 4) return null
  const hex = [...sps.subarray(1, 4)].map((byte) => byte.toString(16).padStart(2, '0'))
  return `avc1.${hex.join('').toUpperCase()}`
}

export function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
