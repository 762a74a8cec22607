import { expect, test } from 'vitest'

import { blocksOf, digestOf } from './document'

const TEXT = `# Plate reads

City may be asked
by the county.

- one plate
- never
  passed on

\`\`\`toml
grantee = "sheriff"
# a comment
\`\`\`
Signed by two.
`

test('a document is told whole and in its order', () => {
  expect(blocksOf(TEXT)).toEqual([
    { kind: 'heading', level: 1, text: 'Plate reads' },
    { kind: 'paragraph', text: 'City may be asked by the county.' },
    { kind: 'list', items: ['one plate', 'never passed on'] },
    { kind: 'terms', text: 'grantee = "sheriff"\n# a comment' },
    { kind: 'paragraph', text: 'Signed by two.' },
  ])
})

test('a block that is never closed is shown to its end', () => {
  expect(blocksOf('```toml\na = 1')).toEqual([{ kind: 'terms', text: 'a = 1' }])
})

test('what is signed are the exact bytes', async () => {
  // sha256sum of "abc" (FIPS 180-2, appendix B.1)
  expect(await digestOf('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})
