/** Messages of pictures for tests, as the picture process builds them. */

import { HEADER_BYTES } from './picture'

export function message(flags: number, sequence: number, receivedMs: number, data: number[] = [9]) {
  const bytes = new ArrayBuffer(HEADER_BYTES + data.length)
  const view = new DataView(bytes)
  view.setUint8(0, 1)
  view.setUint8(1, flags)
  view.setUint32(4, sequence)
  view.setBigUint64(8, BigInt(sequence) * 40_000n)
  view.setBigUint64(16, BigInt(Math.round(receivedMs * 1000)))
  new Uint8Array(bytes).set(data, HEADER_BYTES)
  return bytes
}
