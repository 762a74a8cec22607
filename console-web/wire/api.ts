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
let work: Readonly<Record<string, string>> = {}
const signedOutListeners = new Set<() => void>()
let showPasskey: () => Promise<void> = () => Promise.reject(new Error('nobody can show one'))

export function setCsrf(word: string): void {
  csrf = word
}

/** Under which case this screen works from now on, where the role wants one; '' for none. */
export function setCase(words: string): void {
  work = words ? caseHeaders(words) : {}
}

/** What is taken out, or looked at by a detective, is for a case and says so. */
export const caseHeaders = (words: string): Record<string, string> => ({
  'X-Farolito-Case': words,
  'X-Farolito-Purpose': 'criminal_investigation',
})

/** How a passkey is shown again where the node wants one of the last five minutes. */
export function onProofWanted(show: () => Promise<void>): void {
  showPasskey = show
}

/** Whether it is worth asking again: the node wanted a passkey, and it was shown. */
async function proved(status: number, word: unknown): Promise<boolean> {
  if (status !== 403 || word !== 'sign_in_again') return false
  try {
    await showPasskey()
    return true
  } catch {
    return false // the node's own words are shown
  }
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
  waitMs = ANSWER_MS_MAX,
  again = true,
): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json', ...work, ...more }
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
      signal: AbortSignal.timeout(waitMs),
    })
  } catch {
    throw new ApiError(0, 'offline', '', '', null, {})
  }
  const answer = await decoded(response)
  if (response.ok) return answer as T
  const problem = (answer ?? {}) as Record<string, unknown>
  if (again && (await proved(response.status, problem['error']))) {
    return call<T>(method, path, body, more, waitMs, false)
  }
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

/** A file of the node, with the entry that permits it; refusals are sentences as for `call`. */
export async function fetchFile(
  path: string,
  more: Readonly<Record<string, string>> = {},
  waitMs = ANSWER_MS_MAX,
  again = true,
): Promise<{ blob: Blob; headers: Headers; permit: number | null }> {
  let response: Response
  try {
    const signal = AbortSignal.timeout(waitMs)
    response = await fetch(path, { headers: { ...work, ...more }, credentials: 'same-origin', cache: 'no-store', signal })
    if (response.ok) {
      const permit = Number(response.headers.get('X-Farolito-Permit') ?? NaN)
      const { headers } = response
      return { blob: await response.blob(), headers, permit: Number.isFinite(permit) ? permit : null }
    }
  } catch {
    throw new ApiError(0, 'offline', '', '', null, {})
  }
  const problem = ((await decoded(response)) ?? {}) as Record<string, unknown>
  if (again && (await proved(response.status, problem['error']))) {
    return fetchFile(path, more, waitMs, false)
  }
  if (response.status === 401) for (const tell of signedOutListeners) tell()
  throw new ApiError(
    response.status,
    text(problem['error']) || `http_${response.status}`,
    text(problem['says']),
    text(problem['do']),
    null,
    problem,
  )
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

export const get = <T>(path: string) => call<T>('GET', path)
export const post = <T>(path: string, body?: Record<string, unknown>) =>
  call<T>('POST', path, body)
export const put = <T>(path: string, body?: Record<string, unknown>) => call<T>('PUT', path, body)
