/**
 * The service worker: the brief page's own files without a line, and a push that wakes.
 *
 * In: the browser's requests and push messages. Out: files of one build from the phone; a notice
 * without content. Never: an answer of the node kept, but for the catalogues of words.
 */

import { ruleFor } from './rules'

/** Written in by the build: the page's files and a hash of what is in them. */
declare const __SHELL__: { build: string; files: readonly string[] }

const WORDS = 'farolito-words'
const SHELL_PREFIX = 'farolito-shell-'
const WORDS_WAIT_MS = 3_000 // then those of before are good enough
const LANGUAGES_MAX = 20
const NOTICE: Record<string, string> = { en: 'New brief', es: 'Nuevo aviso' }

// The DOM's types know only the page's side of a service worker.
interface WorkerEvent extends Event {
  waitUntil(work: Promise<unknown>): void
}
interface Fetched extends WorkerEvent {
  readonly request: Request
  respondWith(answer: Promise<Response>): void
}
interface Window extends EventTarget {
  readonly url: string
  readonly focused: boolean
  focus(): Promise<unknown>
}
interface Worker {
  readonly location: Location
  readonly navigator: { readonly language: string }
  readonly registration: ServiceWorkerRegistration
  readonly clients: {
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly Window[]>
    openWindow(url: string): Promise<unknown>
  }
  skipWaiting(): Promise<void>
  addEventListener(kind: 'install' | 'activate' | 'push', run: (event: WorkerEvent) => void): void
  addEventListener(kind: 'fetch', run: (event: Fetched) => void): void
  addEventListener(kind: 'message', run: (event: MessageEvent) => void): void
  addEventListener(
    kind: 'notificationclick',
    run: (event: WorkerEvent & { notification: Notification }) => void,
  ): void
}
const worker = self as unknown as Worker

const shell = __SHELL__
const files = new Set(shell.files)
const SHELL = SHELL_PREFIX + shell.build

worker.addEventListener('install', (event) => event.waitUntil(install()))
worker.addEventListener('activate', (event) => event.waitUntil(forgetOtherBuilds()))
worker.addEventListener('message', (event) => {
  if ((event.data as { k?: string } | null)?.k === 'take_over') void worker.skipWaiting()
})
worker.addEventListener('fetch', (event) => {
  const rule = ruleFor(event.request, worker.location.origin, files)
  if (rule === 'page') event.respondWith(kept('/brief'))
  else if (rule === 'file') event.respondWith(kept(new URL(event.request.url).pathname))
  else if (rule === 'words') event.respondWith(words(event.request))
})
worker.addEventListener('push', (event) => event.waitUntil(wake()))
worker.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(toTheBrief())
})

async function install(): Promise<void> {
  const cache = await caches.open(SHELL)
  // Past the browser's own cache: the build is what the node serves now.
  await cache.addAll(shell.files.map((path) => new Request(path, { cache: 'reload' })))
  await keepWords().catch(() => undefined) // without them briefs are told in the agency's language
}

async function keepWords(): Promise<void> {
  const cache = await caches.open(WORDS)
  const list = await fetch('/api/words')
  if (!list.ok) return
  await cache.put('/api/words', list.clone())
  const { languages } = (await list.json()) as { languages: { language: string }[] }
  const paths = languages.map((l) => `/api/words/${encodeURIComponent(l.language)}`)
  await cache.addAll(paths.slice(0, LANGUAGES_MAX))
}

async function forgetOtherBuilds(): Promise<void> {
  const names = await caches.keys()
  const old = names.filter((name) => name.startsWith(SHELL_PREFIX) && name !== SHELL)
  await Promise.all(old.map((name) => caches.delete(name)))
}

/** From the phone first: all files of one build belong together, and a bad line costs nothing. */
async function kept(path: string): Promise<Response> {
  const cache = await caches.open(SHELL)
  return (await cache.match(path)) ?? fetch(path)
}

/** From the node where it answers in time, else as they were. */
async function words(request: Request): Promise<Response> {
  const cache = await caches.open(WORDS)
  const before = await cache.match(request.url)
  try {
    const signal = before ? AbortSignal.timeout(WORDS_WAIT_MS) : undefined
    const answer = await fetch(request.url, { signal })
    if (answer.ok) await cache.put(request.url, answer.clone())
    return answer.ok ? answer : (before ?? answer)
  } catch (error) {
    if (before) return before
    throw error
  }
}

/** Who has the page before them is told by the page itself. */
async function wake(): Promise<void> {
  const pages = await briefPages()
  if (pages.some((page) => page.focused)) return
  const says = NOTICE[worker.navigator.language.slice(0, 2)] ?? NOTICE['en']!
  await worker.registration.showNotification(says, {
    tag: 'brief',
    icon: '/assets/icon-192.png',
    badge: '/assets/badge-96.png',
    requireInteraction: true,
  })
}

async function toTheBrief(): Promise<void> {
  const page = (await briefPages())[0]
  await (page ? page.focus() : worker.clients.openWindow('/brief'))
}

async function briefPages(): Promise<readonly Window[]> {
  const all = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
  return all.filter((page) => new URL(page.url).pathname === '/brief')
}
