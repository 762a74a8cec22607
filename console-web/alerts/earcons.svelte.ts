/**
 * Short sounds that say a priority without a look (Web Audio, nothing fetched).
 *
 * P1: three rising notes, again every 4 s until somebody takes the alert. P2: two soft notes.
 * P3 has no sound. A browser allows sound only after a touch; until then we say so.
 */

import type { Level } from '../wire/model'

const STORE_KEY = 'farolito.muted'
const P1_AGAIN_MS = 4_000

interface Note {
  hertz: number
  at: number
  seconds: number
  gain: number
}

const P1: readonly Note[] = [
  { hertz: 660, at: 0, seconds: 0.16, gain: 0.5 },
  { hertz: 880, at: 0.18, seconds: 0.16, gain: 0.5 },
  { hertz: 1175, at: 0.36, seconds: 0.3, gain: 0.5 },
]
const P2: readonly Note[] = [
  { hertz: 587, at: 0, seconds: 0.18, gain: 0.22 },
  { hertz: 494, at: 0.2, seconds: 0.28, gain: 0.22 },
]

class Earcons {
  muted = $state(localStorage.getItem(STORE_KEY) === 'yes')
  blocked = $state(true)
  #context: AudioContext | null = null
  #again: ReturnType<typeof setInterval> | undefined
  #held = false

  /** To be called from a touch: sound is allowed from then on. */
  async wake(): Promise<void> {
    try {
      this.#context ??= new AudioContext()
      if (this.#context.state !== 'running') await this.#context.resume()
      this.blocked = this.#context.state !== 'running'
    } catch {
      this.blocked = true // no sound device: the screen alone must do
    }
  }

  toggle(): void {
    this.muted = !this.muted
    localStorage.setItem(STORE_KEY, this.muted ? 'yes' : 'no')
  }

  announce(level: Level): void {
    if (level === 1) this.#play(P1)
    if (level === 2) this.#play(P2)
  }

  insist(wanted: boolean): void {
    if (wanted && this.#again === undefined) {
      this.#again = setInterval(() => this.#play(P1), P1_AGAIN_MS)
    } else if (!wanted && this.#again !== undefined) {
      clearInterval(this.#again)
      this.#again = undefined
    }
  }

  /** While a recording is listened to, the desk itself is silent. */
  hold(wanted: boolean): void {
    this.#held = wanted
  }

  async test(): Promise<void> {
    await this.wake()
    this.#play(P1, true)
    setTimeout(() => this.#play(P2, true), 1_200)
  }

  #play(notes: readonly Note[], evenMuted = false): void {
    const context = this.#context
    if (!context || context.state !== 'running' || (this.muted && !evenMuted)) return
    if (this.#held) return
    for (const note of notes) {
      const from = context.currentTime + note.at
      const tone = context.createOscillator()
      const loudness = context.createGain()
      tone.type = 'triangle'
      tone.frequency.value = note.hertz
      loudness.gain.setValueAtTime(0, from)
      loudness.gain.linearRampToValueAtTime(note.gain, from + 0.015)
      loudness.gain.exponentialRampToValueAtTime(0.001, from + note.seconds)
      tone.connect(loudness).connect(context.destination)
      tone.start(from)
      tone.stop(from + note.seconds)
    }
  }
}

export const earcons = new Earcons()
