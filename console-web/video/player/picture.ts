/**
 * One message of pictures: 24 bytes of header, then an access unit, a JPEG or a piece of fMP4.
 *
 * In: bytes off the line. Out: what they are, or null where they are no such message.
 */

export const HEADER_BYTES = 24
const VERSION = 1
const KEY = 1
const JPEG = 2
const CATCH_UP = 4
const INIT = 8

export interface Picture {
  isKey: boolean
  isJpeg: boolean
  isCatchUp: boolean // from before this viewer came: decoded, and drawn only where it is the last
  isInit: boolean // the beginning of an fMP4, no picture itself
  sequence: number
  mediaUs: number // on the camera's own line of time
  receivedMs: number // when its last byte came from the camera, by the node's clock
  data: Uint8Array<ArrayBuffer>
}

export function readPicture(message: ArrayBuffer): Picture | null {
  if (message.byteLength <= HEADER_BYTES) return null
  const view = new DataView(message)
  if (view.getUint8(0) !== VERSION) return null
  const flags = view.getUint8(1)
  return {
    isKey: (flags & KEY) !== 0,
    isJpeg: (flags & JPEG) !== 0,
    isCatchUp: (flags & CATCH_UP) !== 0,
    isInit: (flags & INIT) !== 0,
    sequence: view.getUint32(4),
    mediaUs: Number(view.getBigUint64(8)),
    receivedMs: Number(view.getBigUint64(16)) / 1000,
    data: new Uint8Array(message, HEADER_BYTES),
  }
}
