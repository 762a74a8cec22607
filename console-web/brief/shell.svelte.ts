/**
 * The page's own files, kept by the service worker so that a reload works without a line.
 *
 * In: the browser's service worker. Out: whether a newer page waits. A newer one takes over when
 * the page says so: what is on the screen is not torn away, and the outbox lives in the store.
 */

const UPDATE_ASKED_EVERY_MS = 3_600_000

class Shell {
  isNewer = $state(false)
  registered: Promise<ServiceWorkerRegistration | null>
  #waiting: ServiceWorker | null = null

  constructor() {
    // Under `vite` there is no built worker to register.
    const can = 'serviceWorker' in navigator && import.meta.env.PROD
    this.registered = can ? this.#register() : Promise.resolve(null)
  }

  /** Loads the newer page. */
  takeOver(): void {
    if (!this.#waiting) return
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
    this.#waiting.postMessage({ k: 'take_over' })
  }

  async #register(): Promise<ServiceWorkerRegistration | null> {
    try {
      const registration = await navigator.serviceWorker.register('/sw.js', { scope: '/' })
      this.#look(registration)
      registration.addEventListener('updatefound', () => {
        registration.installing?.addEventListener('statechange', () => this.#look(registration))
      })
      setInterval(() => void registration.update().catch(() => undefined), UPDATE_ASKED_EVERY_MS)
      return registration
    } catch {
      return null // no line just now, or a browser that forbids it: the page works without
    }
  }

  /** The first worker of a phone takes over by itself; only a later one waits. */
  #look(registration: ServiceWorkerRegistration): void {
    if (!registration.waiting || !navigator.serviceWorker.controller) return
    this.#waiting = registration.waiting
    this.isNewer = true
  }
}

export const shell = new Shell()
