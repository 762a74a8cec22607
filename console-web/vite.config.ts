import { fileURLToPath } from 'node:url'

import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

import { shellList } from './brief/worker/build.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// While the front end is worked on, `vite` serves it and asks a running node for everything else.
const node = process.env.FAROLITO_NODE ?? 'http://localhost:8700'

const PAGES = ['index', 'brief', 'audit', 'health', 'timings', 'shots', 'wall', 'owner', 'agreements', 'search', 'review', 'metro']

export default defineConfig({
  base: '/',
  plugins: [svelte(), shellList()],
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    outDir: here('../src/farolito/console/web'),
    emptyOutDir: true,
    chunkSizeWarningLimit: 1_300, // MapLibre alone is about 1.1 MB before compression
    rolldownOptions: {
      input: [...PAGES.map((page) => `${page}.html`), 'brief/worker/sw.ts'].map(here),
      // At the root: a service worker serves only what lies beside or below it.
      output: {
        entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: {
    proxy: {
      '/api': { target: node, ws: true },
      '/tiles': node,
    },
  },
  test: { include: ['**/*.test.ts'], exclude: ['node_modules/**'], environment: 'node' },
})
