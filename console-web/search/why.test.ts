import { expect, test } from 'vitest'

import { caseFor, type Explains, reasonsOf, toConfirm } from './why'

const by = (who: string) => ({ explanation_id: `of-${who}`, case: '26-1', by: who, by_name: who })
const explains = (more: Partial<Explains> = {}): Explains => ({ case: '26-1', about: false, waiting: [], ...more })

test('a case that is about the plate leaves nothing to answer', () => {
  expect(reasonsOf(explains({ about: true }), 'ana')).toEqual([])
})

test('nobody is offered to confirm their own word', () => {
  expect(reasonsOf(explains(), 'ana')).toEqual(['about', 'other'])
  expect(reasonsOf(explains({ waiting: [by('ana')] }), 'ana')).toEqual(['other'])
  expect(reasonsOf(explains({ waiting: [by('ana')] }), 'kim')).toEqual(['confirm', 'other'])
  expect(toConfirm(explains({ waiting: [by('ana'), by('kim')] }), 'ana')?.by).toBe('kim')
})

test('another case is another one', () => {
  expect(caseFor('about', '26-1', '26-2')).toBe('26-1')
  expect(caseFor('other', '26-1', ' 26-2 ')).toBe('26-2')
  expect(caseFor('other', '26-1a', '26-1A ')).toBe('')
  expect(caseFor('other', '26-1', '  ')).toBe('')
})
