/**
 * Questions and deeds to the node over HTTP, with its refusals as sentences.
 *
 * In: a method, a path, a body. Out: the answer, or an ApiError that says what to do.
 * Never: a secret in an address; the CSRF word travels in a header.
 */

export const ANSWER_MS_MAX = 15_000

export class ApiError extends Error {
  constructor(
    readonly status: number, // 0: no answer at all
    readonly word: string,
    readonly says: string,
    readonly act: string,
    readonly permit: number | null,
    readonly body: Readonly<Record<string, unknown>>,
  ) {
    super(says)
  }

  get isOffline(): boolean {
    return this.status === 0 || this.status >= 502
  }
}

let csrf = ''
const signedOutListeners = new Set<() => void>()

export function setCsrf(word: string): void {
  csrf = word
}

/** Called when the node no longer knows who we are. Returns the way to stop listening. */
export function onSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener)
  return () => signedOutListeners.delete(listener)
}

export async function call<T>(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: Record<string, unknown>,
  more: Readonly<Record<string, string>> = {}, // headers: purpose and case
): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json', ...more }
  if (method !== 'GET') {
    headers['X-Farolito-CSRF'] = csrf
    headers['Content-Type'] = 'application/json'
  }
  let response: Response
  try {
    response = await fetch(path, {
      method,
      headers,
      body: method === 'GET' ? undefined : JSON.stringify(body ?? {}),
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    })
  } catch {
    throw new ApiError(0, 'offline', '', '', null, {})
  }
  const answer = await decoded(response)
  if (response.ok) return answer as T
  const problem = (answer ?? {}) as Record<string, unknown>
  if (response.status === 401 && path !== '/api/session') for (const tell of signedOutListeners) tell()
  throw new ApiError(
    response.status,
    text(problem['error']) || `http_${response.status}`,
    text(problem['says']),
    text(problem['do']),
    typeof problem['permit'] === 'number' ? problem['permit'] : null,
    problem,
  )
}

async function decoded(response: Response): Promise<unknown> {
  if (response.status === 204) return null
  try {
    return (await response.json()) as unknown
  } catch {
    return null
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

export const get = <T>(path: string) => call<T>('GET', path)
export const post = <T>(path: string, body?: Record<string, unknown>) =>
  call<T>('POST', path, body)
export const put = <T>(path: string, body?: Record<string, unknown>) => call<T>('PUT', path, body)
