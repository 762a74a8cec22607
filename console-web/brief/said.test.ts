import { expect, test } from 'vitest'

import { Said } from './said'

class Phone {
  kept = new Map<string, string>()
  getItem = (key: string) => this.kept.get(key) ?? null
  setItem = (key: string, value: string) => void this.kept.set(key, value)
}

test('a reload remembers the last status and outcome', () => {
  const phone = new Phone()
  new Said().with('b1', { status: 'en_route' }, 'k1').with('b1', { outcome: 'gone' }, 'k2').keep(phone)
  expect(Said.load(phone).of('b1')).toEqual({
    status: 'en_route', outcome: 'gone', key: 'k2', last: 'gone',
  }) // prettier-ignore
})

test('what the node refused is not shown as said', () => {
  const said = new Said().with('b1', { status: 'clear' }, 'k1').withoutKey('k1')
  expect(said.of('b1').status).toBeNull()
})

test('a store that holds nonsense is nothing said', () => {
  const phone = new Phone()
  phone.setItem('farolito.said', '[1')
  expect(Said.load(phone).of('b1').last).toBeNull()
  phone.setItem('farolito.said', '[1]')
  expect(Said.load(phone).of('b1').last).toBeNull()
})
