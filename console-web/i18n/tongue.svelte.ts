/** The language of this screen, and values said in it. */

import { en, type Catalogue } from './en'
import { es } from './es'

const CATALOGUES: Record<'en' | 'es', Catalogue> = { en, es }
const STORE_KEY = 'farolito.language'
type Language = keyof typeof CATALOGUES

function firstLanguage(): Language {
  const kept = localStorage.getItem(STORE_KEY)
  if (kept === 'en' || kept === 'es') return kept
  return navigator.language.toLowerCase().startsWith('es') ? 'es' : 'en'
}

class Tongue {
  language = $state<Language>('en')

  constructor() {
    this.language = firstLanguage()
    document.documentElement.lang = this.language
  }

  get t(): Catalogue {
    return CATALOGUES[this.language]
  }

  speak(language: Language): void {
    this.language = language
    localStorage.setItem(STORE_KEY, language)
    document.documentElement.lang = language
  }

  other(): void {
    this.speak(this.language === 'en' ? 'es' : 'en')
  }

  age(seconds: number | null): string {
    const t = this.t.age
    if (seconds === null) return t.unknown
    if (seconds < 60) return t.seconds(seconds)
    if (seconds < 600) return t.minutes(Math.floor(seconds / 60), seconds % 60)
    if (seconds < 3600) return t.wholeMinutes(Math.floor(seconds / 60))
    if (seconds < 86_400) {
      return t.hours(Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60))
    }
    return t.days(Math.floor(seconds / 86_400))
  }

  ago(seconds: number | null): string {
    return seconds === null ? this.t.age.unknown : this.t.age.ago(this.age(seconds))
  }

  time(at: string | number): string {
    return new Intl.DateTimeFormat(this.t.locale, {
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    }).format(new Date(at))
  }

  moment(at: string | null | undefined): string {
    if (!at) return this.t.common.unknown
    return new Intl.DateTimeFormat(this.t.locale, {
      year: 'numeric',
      month: 'short',
      day: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    }).format(new Date(at))
  }

  number(value: number): string {
    return new Intl.NumberFormat(this.t.locale).format(value)
  }

  /** A probability without false precision: never 0 % or 100 %. */
  percent(value: number): string {
    if (value >= 0.995) return '> 99 %'
    if (value < 0.01) return '< 1 %'
    return `${Math.round(value * 100)} %`
  }

  compass(degrees: number): string {
    return this.t.compass[Math.round((((degrees % 360) + 360) % 360) / 45) % 8] ?? ''
  }
}

export const tongue = new Tongue()
