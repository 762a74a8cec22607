/** Which way of showing pictures this browser has, the best first. */

import type { Mode } from '../../wire/video'

const MP4 = 'video/mp4; codecs="avc1.42E01E"'

export interface Abilities {
  isSecure: boolean // WebCodecs exists only over HTTPS and on localhost
  hasDecoder: boolean
  hasMediaSource: boolean
}

/** The ways in the order they are tried; a still picture always works. */
export function modesOf({ isSecure, hasDecoder, hasMediaSource }: Abilities): Mode[] {
  return [
    ...(isSecure && hasDecoder ? (['units'] as const) : []),
    ...(hasMediaSource ? (['mse'] as const) : []),
    'still',
  ]
}

export function abilities(): Abilities {
  return {
    isSecure: globalThis.isSecureContext === true,
    hasDecoder: 'VideoDecoder' in globalThis && 'EncodedVideoChunk' in globalThis,
    hasMediaSource: 'MediaSource' in globalThis && MediaSource.isTypeSupported(MP4),
  }
}

/** What comes after `mode` failed; null where nothing is left. */
export function nextMode(modes: readonly Mode[], mode: Mode): Mode | null {
  return modes[modes.indexOf(mode) + 1] ?? null
}
