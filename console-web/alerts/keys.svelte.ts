/** Single keys of the console, and the switch that turns them off (WCAG 2.1.4). */

const STORE_KEY = 'farolito.singleKeys'

class Keys {
  single = $state(localStorage.getItem(STORE_KEY) !== 'off')

  set(on: boolean): void {
    this.single = on
    localStorage.setItem(STORE_KEY, on ? 'on' : 'off')
  }

  /** The key as a word, or null where it is meant for something else. */
  read(event: KeyboardEvent): string | null {
    if (!this.single || event.ctrlKey || event.metaKey || event.altKey || event.repeat) {
      return event.repeat && /^[jk]$/i.test(event.key) && this.single ? event.key.toLowerCase() : null
    }
    const target = event.target as HTMLElement | null
    if (target?.closest('input, textarea, select, [contenteditable], dialog')) {
      // A ticked box is no text: J and K still move on from it.
      const box = target instanceof HTMLInputElement && target.type === 'checkbox'
      if (!box || event.key === 'Enter' || event.key === ' ') return null
    }
    return event.key.length === 1 ? event.key.toLowerCase() : event.key
  }
}

export const keys = new Keys()
