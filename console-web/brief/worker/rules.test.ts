import { expect, test } from 'vitest'

import { ruleFor } from './rules'

const NODE = 'https://node.example'
const FILES = new Set(['/brief', '/assets/brief-a1.js', '/favicon.svg'])
const rule = (path: string, method = 'GET', mode = 'cors') =>
  ruleFor({ method, mode, url: new URL(path, NODE).href }, NODE, FILES)

test('the page and its own files come from the phone', () => {
  expect(rule('/brief', 'GET', 'navigate')).toBe('page')
  expect(rule('/brief?from=push', 'GET', 'navigate')).toBe('page')
  expect(rule('/assets/brief-a1.js')).toBe('file')
})

test('no answer of the node is kept but the words', () => {
  expect(rule('/api/words')).toBe('words')
  expect(rule('/api/words/nv')).toBe('words')
  for (const path of ['/api/briefs/mine', '/api/session', '/api/briefs/1/picture', '/api/wordsmith']) {
    expect(rule(path)).toBe('network')
  }
  expect(rule('/api/words', 'POST')).toBe('network')
})

test('other pages, other builds and other origins are not touched', () => {
  expect(rule('/', 'GET', 'navigate')).toBe('network')
  expect(rule('/audit', 'GET', 'navigate')).toBe('network')
  expect(rule('/assets/brief-b2.js')).toBe('network')
  expect(rule('https://elsewhere.example/brief', 'GET', 'navigate')).toBe('network')
})
