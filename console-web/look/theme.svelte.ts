/** Dark, light or as the device says. Rooms at night are dark, so dark is where a desk begins. */

export type Look = 'dark' | 'light' | 'system'
const STORE_KEY = 'farolito.look'
const LOOKS: readonly Look[] = ['dark', 'light', 'system']

class Theme {
  look = $state<Look>('dark')
  isLight = $state(false)
  #device = matchMedia('(prefers-color-scheme: light)')

  /** `first` holds until a person chooses: a phone follows its day and night. */
  begin(first: Look): void {
    const kept = localStorage.getItem(STORE_KEY) as Look | null
    this.look = kept && LOOKS.includes(kept) ? kept : first
    this.#device.addEventListener('change', () => this.#apply())
    this.#apply()
  }

  choose(look: Look): void {
    this.look = look
    localStorage.setItem(STORE_KEY, look)
    this.#apply()
  }

  #apply(): void {
    this.isLight = this.look === 'light' || (this.look === 'system' && this.#device.matches)
    document.documentElement.dataset['look'] = this.isLight ? 'light' : 'dark'
  }
}

export const theme = new Theme()
