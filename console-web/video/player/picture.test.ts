import { expect, test } from 'vitest'

import { AT_ONCE_MAX, inTurn } from './asking'
import { modesOf, nextMode } from './mode'
import { paceOf, receivedOf } from './mse'
import { codecOf, findSps, isSame } from './nal'
import { canvasSize } from './paint'
import { HEADER_BYTES, readPicture } from './picture'
import { message } from './sample'

test('the header says what a picture is, when it came and where it stands', () => {
  const picture = readPicture(message(5, 7, 1_790_000_000_123.5, [1, 2, 3]))!
  expect(picture).toMatchObject({ isKey: true, isJpeg: false, isCatchUp: true, isInit: false })
  expect(picture).toMatchObject({ sequence: 7, mediaUs: 280_000, receivedMs: 1_790_000_000_123.5 })
  expect([...picture.data]).toEqual([1, 2, 3])
})

test('bytes that are no picture are none', () => {
  expect(readPicture(new ArrayBuffer(0))).toBeNull()
  expect(readPicture(new ArrayBuffer(HEADER_BYTES))).toBeNull()
  const other = message(0, 1, 1)
  new DataView(other).setUint8(0, 2)
  expect(readPicture(other)).toBeNull()
})

// AUD, then SPS (High, level 3.1) with a start code of four bytes, PPS, IDR.
const UNIT = Uint8Array.from([
  ...[0, 0, 0, 1, 0x09, 0xf0],
  ...[0, 0, 0, 1, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9],
  ...[0, 0, 0, 1, 0x68, 0xeb, 0xe3],
  ...[0, 0, 1, 0x65, 0x88, 0x84],
])

test('the codec string is read from the SPS wherever it stands', () => {
  const sps = findSps(UNIT)!
  expect([...sps]).toEqual([0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9])
  expect(codecOf(sps)).toBe('avc1.64001F')
})

test('a unit without an SPS, or with a stump of one, has no codec', () => {
  expect(findSps(Uint8Array.from([0, 0, 1, 0x41, 1, 2, 3]))).toBeNull()
  expect(findSps(new Uint8Array(0))).toBeNull()
  expect(codecOf(Uint8Array.from([0x67, 0x42]))).toBeNull()
})

test('any bytes are looked through in bounded time and never fail', () => {
  for (let round = 0; round < 200; round += 1) {
    const bytes = Uint8Array.from({ length: round * 7 }, () => Math.floor(Math.random() * 4))
    const sps = findSps(bytes)
    if (sps) codecOf(sps)
  }
  const large = new Uint8Array(5_000_000)
  large.set([0, 0, 1, 0x67, 1, 2, 3], 4_999_000)
  expect(findSps(large)).toBeNull()
})

test('a changed SPS is noticed', () => {
  const sps = findSps(UNIT)!
  expect(isSame(sps, sps.slice())).toBe(true)
  expect(isSame(sps, sps.slice(0, -1))).toBe(false)
  expect(isSame(sps, null)).toBe(false)
})

test('without a secure origin there is no WebCodecs, and a still is always left', () => {
  const all = { isSecure: true, hasDecoder: true, hasMediaSource: true }
  expect(modesOf(all)).toEqual(['units', 'mse', 'still'])
  expect(modesOf({ ...all, isSecure: false })).toEqual(['mse', 'still'])
  expect(modesOf({ isSecure: false, hasDecoder: false, hasMediaSource: false })).toEqual(['still'])
  expect(nextMode(['units', 'mse', 'still'], 'units')).toBe('mse')
  expect(nextMode(['still'], 'still')).toBeNull()
})

test('MSE jumps when far behind, hurries a little, and eases at the end', () => {
  expect(paceOf(3)).toEqual({ jump: true, rate: 1 })
  expect(paceOf(0.3)).toEqual({ jump: false, rate: 1.08 })
  expect(paceOf(0.08)).toEqual({ jump: false, rate: 1 })
  expect(paceOf(0.01)).toEqual({ jump: false, rate: 0.97 })
})

test('the time of a film tells when its picture was received', () => {
  const marks = [1, 1.04, 3].map((mediaS) => ({ mediaS, receivedMs: mediaS * 1000 }))
  expect(receivedOf(marks, 0.9)).toBeNull()
  expect(receivedOf(marks, 1.0399)).toBe(1_040)
  expect(receivedOf(marks, 2.9)).toBe(1_040)
})

test('a canvas is as large as it is seen, never larger than the picture', () => {
  const picture = { width: 1280, height: 720 }
  expect(canvasSize(picture, { width: 320, height: 180 }, 1)).toEqual({ width: 320, height: 180 })
  expect(canvasSize(picture, { width: 320, height: 180 }, 2)).toEqual({ width: 640, height: 360 })
  expect(canvasSize(picture, { width: 4000, height: 2000 }, 2)).toEqual(picture)
  expect(canvasSize(picture, { width: 0, height: 0 }, 1)).toEqual(picture)
})

test('many questions go out a few at a time, and one that fails gives its place on', async () => {
  let now = 0
  let most = 0
  const answers = Array.from({ length: 20 }, (_, i) =>
    inTurn(async () => {
      now += 1
      most = Math.max(most, now)
      await Promise.resolve()
      now -= 1
      if (i % 3 === 0) throw new Error('no')
      return i
    }).catch(() => -1),
  )
  expect((await Promise.all(answers)).filter((i) => i >= 0)).toHaveLength(13)
  expect(most).toBe(AT_ONCE_MAX)
})
