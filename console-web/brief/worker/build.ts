/**
 * Tells the built service worker which files the brief page is made of.
 *
 * In: what Vite wrote. Out: `sw.js` with the list and a hash of it, so that each build is a
 * worker of its own and the browser notices.
 */

import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Plugin } from 'vite'

const BESIDE = ['/brief.webmanifest', '/favicon.svg', '/assets/icon-192.png', '/assets/badge-96.png']
const PLACE = '__SHELL__'

export function shellList(): Plugin {
  return {
    name: 'farolito-shell-list',
    apply: 'build',
    writeBundle({ dir }) {
      if (dir === undefined) return
      const page = readFileSync(join(dir, 'brief.html'), 'utf-8')
      const own = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+\.(?:js|css))"/g)].map((m) => m[1]!)
      const files = ['/brief', ...new Set([...own, ...BESIDE])]
      const hash = createHash('sha256').update(page) // names of scripts and styles hold their hash
      for (const path of BESIDE) hash.update(readFileSync(join(dir, path)))
      const path = join(dir, 'sw.js')
      const worker = readFileSync(path, 'utf-8')
      if (worker.split(PLACE).length !== 2) this.error(`${path} has no single place for its list`)
      const list = JSON.stringify({ build: hash.digest('hex').slice(0, 16), files })
      writeFileSync(path, worker.replace(PLACE, () => list))
    },
  }
}
