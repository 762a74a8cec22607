/**
 * What is spoken when: by a tap the whole brief, by itself only what is new.
 *
 * In: briefs and their new versions. Out: text to a voice, and word of what was truly heard.
 * Never: a version cut off by the next one, or told as heard when it was not. What came while
 * something was spoken is told after it, as one difference to what was heard last.
 */

import type { Brief } from '../wire/model'
import type { Speaking } from './speech'

export const GATHER_MS = 500 // versions that come together are told together

export interface AnnouncerOptions {
  speak: (text: string, onEnd: (heard: boolean) => void) => Speaking | null
  whole: (brief: Brief) => string
  change: (before: Brief, after: Brief) => string
  later: (run: () => void, ms: number) => () => void
  onSpeaking: (brief_id: string | null) => void
  onHeard: (brief: Brief) => void
  onNoVoice: (brief: Brief) => void
}

export class Announcer {
  #heard = new Map<string, Brief>()
  #waiting = new Map<string, Brief>()
  #now: { brief: Brief; speaking: Speaking } | null = null
  #cancelGather: (() => void) | null = null

  constructor(private readonly options: AnnouncerOptions) {}

  hasHeard(brief_id: string): boolean {
    return this.#heard.has(brief_id)
  }

  /** By a tap: the whole brief, at once. */
  read(brief: Brief): void {
    this.stop()
    this.#say(brief, this.options.whole(brief))
  }

  /** A new version: the difference, after what is being said. Only a recall cuts in. */
  news(brief: Brief): void {
    if (brief.recalled) {
      this.stop()
      this.#say(brief, this.options.whole(brief))
      return
    }
    this.#waiting.set(brief.brief_id, brief)
    if (this.#now || this.#cancelGather) return
    this.#cancelGather = this.options.later(() => {
      this.#cancelGather = null
      this.#next()
    }, GATHER_MS)
  }

  /** Silence; what waited is not said any more. */
  stop(): void {
    this.#cancelGather?.()
    this.#cancelGather = null
    this.#waiting.clear()
    if (!this.#now) return
    this.#now.speaking.stop()
    this.#now = null
    this.options.onSpeaking(null)
  }

  /** The brief is gone from the phone: not a word of it is kept. */
  forget(brief_id: string): void {
    this.#heard.delete(brief_id)
    this.#waiting.delete(brief_id)
    if (this.#now?.brief.brief_id === brief_id) this.stop()
  }

  #next(): void {
    const brief = this.#waiting.values().next().value
    if (!brief || this.#now) return
    this.#waiting.delete(brief.brief_id)
    const before = this.#heard.get(brief.brief_id)
    this.#say(brief, before ? this.options.change(before, brief) : this.options.whole(brief))
  }

  #say(brief: Brief, text: string): void {
    let over = false
    const speaking = this.options.speak(text, (heard) => {
      over = true
      this.#now = null
      this.options.onSpeaking(null)
      if (heard) {
        this.#heard.set(brief.brief_id, brief)
        this.options.onHeard(brief)
      } else this.options.onNoVoice(brief)
      this.#next()
    })
    if (!speaking) this.options.onNoVoice(brief)
    if (!speaking || over) return
    this.#now = { brief, speaking }
    this.options.onSpeaking(brief.brief_id)
  }
}
