/**
 * Passkeys: the node's JSON to what the browser wants, and back (WebAuthn Level 3, section 5.1).
 *
 * Written out because older browsers lack `parseRequestOptionsFromJSON` and `toJSON`.
 */

import { post } from './api'

type Json = Record<string, unknown>

export const passkeysWork = (): boolean =>
  typeof window !== 'undefined' && typeof window.PublicKeyCredential === 'function'

export async function signInWithPasskey(): Promise<void> {
  const credential = await assertion(await post<Json>('/api/session/passkey/begin'))
  await post('/api/session/passkey/finish', { credential })
}

/** A person's passkey over the challenge that the node told, as the node wants it back. */
export async function assertion(told: Json): Promise<Json> {
  const options = unwrapped(told)
  const publicKey = {
    ...options,
    challenge: bytes(options['challenge']),
    allowCredentials: descriptors(options['allowCredentials']),
  } as unknown as PublicKeyCredentialRequestOptions
  return credentialJson(await navigator.credentials.get({ publicKey }))
}

/** Shown again by who is signed in, for what wants a passkey of the last five minutes. */
export async function showPasskey(): Promise<void> {
  const credential = await assertion(await post<Json>('/api/session/proof/begin'))
  await post('/api/session/proof/finish', { credential })
}

export async function registerPasskey(code: string): Promise<void> {
  const credential = await made(await post<Json>('/api/session/register/begin', { code }))
  await post('/api/session/register/finish', { code, credential })
}

/** For who is signed in already: by an identity provider, or with another passkey. */
export async function addPasskey(): Promise<void> {
  const credential = await made(await post<Json>('/api/session/passkeys/begin'))
  await post('/api/session/passkeys/finish', { credential })
}

async function made(told: Json): Promise<Json> {
  const options = unwrapped(told)
  const user = options['user'] as Json
  const publicKey = {
    ...options,
    challenge: bytes(options['challenge']),
    user: { ...user, id: bytes(user['id']) },
    excludeCredentials: descriptors(options['excludeCredentials']),
  } as unknown as PublicKeyCredentialCreationOptions
  return credentialJson(await navigator.credentials.create({ publicKey }))
}

function unwrapped(answer: Json): Json {
  return (answer['publicKey'] as Json | undefined) ?? answer
}

function descriptors(value: unknown): unknown {
  if (!Array.isArray(value)) return undefined
  return (value as Json[]).map((d) => ({ ...d, id: bytes(d['id']) }))
}

export function bytes(base64url: unknown): Uint8Array<ArrayBuffer> {
  const text = String(base64url).replaceAll('-', '+').replaceAll('_', '/')
  const binary = atob(text.padEnd(Math.ceil(text.length / 4) * 4, '='))
  return Uint8Array.from(binary, (c) => c.charCodeAt(0))
}

export function base64url(buffer: ArrayBuffer): string {
  const binary = String.fromCharCode(...new Uint8Array(buffer))
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function credentialJson(credential: Credential | null): Json {
  if (!(credential instanceof PublicKeyCredential)) throw new Error('no credential')
  const response = credential.response
  const parts: Json = { clientDataJSON: base64url(response.clientDataJSON) }
  if (response instanceof AuthenticatorAttestationResponse) {
    parts['attestationObject'] = base64url(response.attestationObject)
    parts['transports'] = response.getTransports?.() ?? []
  } else if (response instanceof AuthenticatorAssertionResponse) {
    parts['authenticatorData'] = base64url(response.authenticatorData)
    parts['signature'] = base64url(response.signature)
    parts['userHandle'] = response.userHandle ? base64url(response.userHandle) : null
  }
  return {
    id: credential.id,
    rawId: base64url(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: parts,
  }
}
