/**
 * The languages that the node's briefs can be said in, and the words of the chosen one.
 *
 * In: the node's catalogues. Out: reactive words. A nation's own language is chosen here beside
 * the screen's two; where its words are not at hand, the agency's own sentence stands.
 */

import { tongue } from '../i18n/tongue.svelte'
import { ApiError, get } from '../wire/api'
import type { Words } from './words'

const STORE_KEY = 'farolito.words'

export interface Language {
  language: string
  name: string
}

const SCREENS: readonly Language[] = [
  { language: 'en', name: 'English' },
  { language: 'es', name: 'Español' },
]

class Phrasebook {
  languages = $state.raw<readonly Language[]>(SCREENS)
  #chosen = $state<string | null>(localStorage.getItem(STORE_KEY))
  #books = $state.raw<ReadonlyMap<string, Words>>(new Map())
  language = $derived(this.#chosen ?? tongue.language)
  words = $derived(this.wordsOf(this.language))
  name = $derived(this.languages.find((l) => l.language === this.language)?.name ?? this.language)

  wordsOf(language: string): Words {
    return this.#books.get(language) ?? {}
  }

  /** Asks for what is not here yet; safe to call often. */
  async load(): Promise<void> {
    try {
      const { languages } = await get<{ languages: Language[] }>('/api/words')
      if (languages.length) this.languages = languages
      if (this.#chosen && !languages.some((l) => l.language === this.#chosen)) this.choose(tongue.language)
      for (const language of new Set([this.language, tongue.language])) await this.#fetch(language)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error // no line: asked again when it is back
    }
  }

  choose(language: string): void {
    if (language === 'en' || language === 'es') {
      tongue.speak(language)
      this.#chosen = null
      localStorage.removeItem(STORE_KEY)
    } else {
      this.#chosen = language
      localStorage.setItem(STORE_KEY, language)
    }
    void this.load()
  }

  async #fetch(language: string): Promise<void> {
    if (this.#books.has(language)) return
    const { words } = await get<{ words: Words }>(`/api/words/${encodeURIComponent(language)}`)
    this.#books = new Map(this.#books).set(language, words)
  }
}

export const phrasebook = new Phrasebook()
