/**
 * Waking a closed page: "New brief", without a word of it.
 *
 * In: the browser's push service and the node's key, where there are such. Out: what works on
 * this phone, said plainly. Never: content in a push message.
 */

import { ApiError, call, get, post } from '../wire/api'

export type PushState = 'asking' | 'off' | 'on' | 'denied' | 'missing' | 'closed' | 'failed'

export class Push {
  state = $state<PushState>('asking')
  #key: string | null = null
  #registration: ServiceWorkerRegistration | null = null

  /** What there is; an allowed subscription is told to the node again, which may be a new one. */
  async look(registered: Promise<ServiceWorkerRegistration | null>): Promise<void> {
    this.#registration = await registered
    if (!this.#registration || !('PushManager' in globalThis)) {
      this.state = 'missing'
      return
    }
    try {
      this.#key = (await get<{ key: string | null }>('/api/push/key')).key
      if (this.#key === null) this.state = 'closed'
      else if (Notification.permission === 'denied') this.state = 'denied'
      else await this.#resume(this.#registration)
    } catch (error) {
      this.#failed(error)
    }
  }

  /** By a tap: the browser asks the person. */
  async switchOn(): Promise<void> {
    const [key, registration] = [this.#key, this.#registration]
    if (!key || !registration) return
    this.state = 'asking'
    try {
      if ((await Notification.requestPermission()) !== 'granted') {
        this.state = Notification.permission === 'denied' ? 'denied' : 'off'
        return
      }
      const options = { userVisibleOnly: true, applicationServerKey: decoded(key) }
      await this.#tell(await registration.pushManager.subscribe(options))
    } catch (error) {
      this.#failed(error)
    }
  }

  async switchOff(): Promise<void> {
    if (this.state !== 'on') return
    this.state = 'off'
    try {
      const subscription = await this.#registration?.pushManager.getSubscription()
      if (!subscription) return
      await call('DELETE', '/api/push', { endpoint: subscription.endpoint })
      await subscription.unsubscribe()
    } catch (error) {
      this.#failed(error)
    }
  }

  async #resume(registration: ServiceWorkerRegistration): Promise<void> {
    const subscription = await registration.pushManager.getSubscription()
    const key = subscription?.options.applicationServerKey
    if (subscription && key && encoded(new Uint8Array(key)) !== this.#key) {
      await subscription.unsubscribe() // it was made for another node's key
      this.state = 'off'
    } else if (subscription) await this.#tell(subscription)
    else this.state = 'off'
  }

  async #tell(subscription: PushSubscription): Promise<void> {
    await post('/api/push', { subscription: subscription.toJSON() })
    this.state = 'on'
  }

  #failed(error: unknown): void {
    if (!(error instanceof ApiError) && !(error instanceof DOMException)) throw error
    this.state = 'failed'
  }
}

function decoded(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(text, (c) => c.charCodeAt(0))
}

function encoded(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes))
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}
