/**
 * Who is signed in on this screen.
 *
 * In: the node's answers. Out: one reactive value every page looks at. Never: a stored secret;
 * the cookie is the browser's, and page scripts cannot read it.
 */

import { ApiError, call, get, onProofWanted, onSignedOut, post, setCsrf } from './api'
import { addPasskey, registerPasskey, showPasskey, signInWithPasskey } from './passkey'
import type { SignedIn, SignedOut } from './model'

type State =
  | { kind: 'asking' }
  | { kind: 'unreachable' }
  | { kind: 'out'; offers: SignedOut; because: 'fresh' | 'ended' | 'idle' }
  | { kind: 'in'; signedIn: SignedIn }

class Session {
  state = $state.raw<State>({ kind: 'asking' })

  constructor() {
    onSignedOut(() => {
      if (this.state.kind === 'in') void this.ask('ended')
    })
    onProofWanted(showPasskey)
  }

  async ask(because: 'fresh' | 'ended' | 'idle' = 'fresh'): Promise<void> {
    try {
      const signedIn = await get<SignedIn>('/api/session')
      setCsrf(signedIn.csrf)
      this.state = { kind: 'in', signedIn }
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        const offers = error.body as unknown as SignedOut
        this.state = { kind: 'out', offers, because }
      } else this.state = { kind: 'unreachable' }
    }
  }

  /** Are we still signed in? Where the node cannot say, the screen stays as it is. */
  async check(): Promise<void> {
    try {
      await get<SignedIn>('/api/session')
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) await this.ask('ended')
    }
  }

  async signInAs(persona: string): Promise<void> {
    await post('/api/session/demo', { persona })
    await this.ask()
  }

  async signInWithPasskey(): Promise<void> {
    await signInWithPasskey()
    await this.ask()
  }

  async register(code: string): Promise<void> {
    await registerPasskey(code)
    await this.ask()
  }

  /** The browser goes to the provider, and comes back by itself. */
  async signInBy(provider: string, code: string): Promise<void> {
    const path = `/api/session/oidc/${encodeURIComponent(provider)}/begin`
    const { address } = await post<{ address: string }>(path, code ? { code } : {})
    location.assign(address)
  }

  async addPasskey(): Promise<void> {
    await addPasskey()
    await this.ask()
  }

  async signOut(because: 'fresh' | 'idle' = 'fresh'): Promise<void> {
    try {
      await call('DELETE', '/api/session')
    } catch {
      // The node may be away; the screen is covered all the same.
    }
    await this.ask(because)
  }
}

export const session = new Session()
