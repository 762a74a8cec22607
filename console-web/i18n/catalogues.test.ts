import { expect, test } from 'vitest'

import { en } from './en'
import { es } from './es'

function leaves(value: unknown, path = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]]
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`))
}

test('every text has its Spanish counterpart, and none is left empty', () => {
  const spanish = new Map(leaves(es))
  for (const [path, value] of leaves(en)) {
    expect(typeof spanish.get(path), path).toBe(typeof value)
    if (value !== '') expect(spanish.get(path), path).not.toBe('')
  }
  expect(spanish.size).toBe(leaves(en).length)
})
