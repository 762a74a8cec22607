/**
 * Plays clips of a shot, one at a time, and says which were really heard.
 *
 * In: an address and a name. Out: what sounds and how far it is; a call once enough was heard.
 * Never: two clips at once; a clip called heard that nobody could have heard.
 *
 * Clips are brought to one loudness: a sensor 800 m away must not sound like a shut door.
 */

import { earcons } from '../alerts/earcons.svelte'

export const HEARD_AFTER_S = 1 // or the whole clip, where it is shorter
const PEAK = 0.85
const GAIN_MAX = 60 // beyond it only the sensor's own noise would grow
const KEPT_MAX = 16
const TURN_MS = 40

export interface Playable {
  name: string // the sensor
  url: string
}

export class Player {
  playing = $state<string | null>(null)
  seconds = $state(0) // into the clip that plays
  failed = $state<string | null>(null)

  #context: AudioContext | null = null
  #kept = new Map<string, AudioBuffer>()
  #stop: (() => void) | null = null
  #run = 0

  constructor(
    private readonly onHeard: (name: string) => void,
    private readonly onPermit: (permit: number) => void,
  ) {}

  /** One clip; the same again while it plays stops it. */
  async toggle(clip: Playable): Promise<void> {
    const again = this.playing === clip.name
    this.stop()
    if (!again) await this.#inTurn([clip])
  }

  /** All clips in turn; stops where something plays already. */
  async all(clips: readonly Playable[]): Promise<void> {
    const busy = this.playing !== null
    this.stop()
    if (!busy) await this.#inTurn(clips)
  }

  stop(): void {
    this.#run += 1
    this.#stop?.()
    this.#stop = null
    this.playing = null
    earcons.hold(false)
  }

  async #inTurn(clips: readonly Playable[]): Promise<void> {
    const run = this.#run
    this.failed = null
    // Asked for at once, within the touch that allows sound.
    this.#context ??= new AudioContext()
    const woken = this.#context.resume()
    for (const clip of clips) {
      this.playing = clip.name
      this.seconds = 0
      try {
        const sound = await this.#fetched(clip.url)
        await woken
        if (run !== this.#run) return
        await this.#play(clip.name, sound)
      } catch {
        if (run === this.#run) this.failed = clip.name
      }
      if (run !== this.#run) return
    }
    this.stop()
  }

  async #fetched(url: string): Promise<AudioBuffer> {
    const kept = this.#kept.get(url)
    if (kept) return kept
    const response = await fetch(url, { credentials: 'same-origin', cache: 'no-store' })
    if (!response.ok) throw new Error(`no sound: ${response.status}`)
    const permit = Number(response.headers.get('X-Farolito-Permit') ?? NaN)
    if (Number.isFinite(permit)) this.onPermit(permit)
    const sound = await this.#context!.decodeAudioData(await response.arrayBuffer())
    if (this.#kept.size >= KEPT_MAX) this.#kept.delete([...this.#kept.keys()][0]!)
    this.#kept.set(url, sound)
    return sound
  }

  #play(name: string, sound: AudioBuffer): Promise<void> {
    const context = this.#context!
    const source = context.createBufferSource()
    const loudness = context.createGain()
    loudness.gain.value = Math.min(GAIN_MAX, PEAK / Math.max(1e-6, peakOf(sound)))
    source.buffer = sound
    source.connect(loudness).connect(context.destination)
    const began = context.currentTime
    const enough = Math.min(HEARD_AFTER_S, sound.duration * 0.98)
    let heard = false
    return new Promise((done) => {
      const turn = () => {
        this.seconds = Math.min(sound.duration, context.currentTime - began)
        if (!heard && this.seconds >= enough) {
          heard = true
          this.onHeard(name)
        }
      }
      const timer = setInterval(turn, TURN_MS)
      const end = () => {
        clearInterval(timer)
        source.onended = null
        done()
      }
      source.onended = () => {
        turn()
        end()
      }
      this.#stop = () => {
        end()
        source.stop()
      }
      earcons.hold(true) // the reviewer hears the street, not the desk
      source.start()
    })
  }
}

function peakOf(sound: AudioBuffer): number {
  let peak = 0
  for (let channel = 0; channel < sound.numberOfChannels; channel++) {
    for (const value of sound.getChannelData(channel)) {
      if (value > peak) peak = value
      else if (-value > peak) peak = -value
    }
  }
  return peak
}
