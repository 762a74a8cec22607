/**
 * What the service worker answers from the phone and what it leaves to the network.
 *
 * Kept on the phone: the brief page's own files of one build, and the catalogues of words. Never:
 * any other answer of the node, another page, another origin.
 */

export type Rule = 'page' | 'file' | 'words' | 'network'

export interface Asked {
  method: string
  mode: string
  url: string
}

export function ruleFor(asked: Asked, origin: string, files: ReadonlySet<string>): Rule {
  const url = new URL(asked.url)
  if (asked.method !== 'GET' || url.origin !== origin) return 'network'
  if (asked.mode === 'navigate') return url.pathname === '/brief' ? 'page' : 'network'
  if (url.pathname === '/api/words' || url.pathname.startsWith('/api/words/')) return 'words'
  if (url.pathname.startsWith('/api/')) return 'network'
  return files.has(url.pathname) && url.search === '' ? 'file' : 'network'
}
