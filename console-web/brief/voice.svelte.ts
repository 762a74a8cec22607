/**
 * The phone's voice: on after one tap, then speaking what is new by itself.
 *
 * In: briefs. Out: speech in the chosen language, or in the screen's where the phone has no voice
 * for it; word of what was truly heard. Never: a claim that something was heard when it was not.
 */

import { tongue } from '../i18n/tongue.svelte'
import type { Brief } from '../wire/model'
import { Announcer } from './announcer'
import { phrasebook } from './phrasebook.svelte'
import { hasVoice, speak, spokenBrief, spokenChange } from './speech'
import { vibrate } from './vibrate'

const NO_VOICE_VIBRATES: readonly number[] = [120, 80, 120, 80, 120]

export class Voice {
  isOn = $state(false)
  isMissing = $state(false)
  speaking = $state<string | null>(null) // the brief that is being spoken
  #announcer: Announcer

  constructor(onHeard: (brief: Brief) => void) {
    this.#announcer = new Announcer({
      speak: (text, onEnd) => speak(text, this.#locale, onEnd),
      whole: (brief) => spokenBrief(brief, tongue.t.brief, this.#words),
      change: (before, after) => spokenChange(before, after, tongue.t.brief, this.#words),
      later: (run, ms) => {
        const timer = setTimeout(run, ms)
        return () => clearTimeout(timer)
      },
      onSpeaking: (brief_id) => (this.speaking = brief_id),
      onHeard: (brief) => {
        this.isMissing = false
        onHeard(brief)
      },
      onNoVoice: () => this.#missed(),
    })
  }

  /** The tap that browsers ask for before a page may speak by itself. */
  start(): void {
    this.isOn = true
    this.isMissing = false
    const test = speak(tongue.t.brief.phone.test, tongue.t.locale, (heard) => {
      if (!heard) this.#missed()
    })
    if (!test) this.#missed()
  }

  off(): void {
    this.isOn = false
    this.#announcer.stop()
  }

  /** Reads the whole brief, or stops what is being read. */
  read(brief: Brief): void {
    if (this.speaking === brief.brief_id) {
      this.#announcer.stop()
      return
    }
    this.isOn = true
    this.isMissing = false
    this.#announcer.read(brief)
  }

  /** In motion all that is new is spoken; at rest only of a brief that was listened to before. */
  news(brief: Brief, isMoving: boolean): void {
    if (!this.isOn || this.isMissing) return
    if (isMoving || this.#announcer.hasHeard(brief.brief_id)) this.#announcer.news(brief)
  }

  forget(brief_id: string): void {
    this.#announcer.forget(brief_id)
  }

  get #locale(): string {
    return this.speaksChosen ? phrasebook.language : tongue.t.locale
  }

  get #words() {
    return phrasebook.wordsOf(this.speaksChosen ? phrasebook.language : tongue.language)
  }

  /** Has the phone a voice for the chosen language, where that is not one of the screen's? */
  get speaksChosen(): boolean {
    return phrasebook.language !== tongue.language && hasVoice(phrasebook.language) === true
  }

  #missed(): void {
    this.isMissing = true
    this.speaking = null
    vibrate(NO_VOICE_VIBRATES)
  }
}
