import { expect, test, vi } from 'vitest'

import { HIDDEN_FOR_MS, Sight } from './sight'

function page() {
  vi.useFakeTimers()
  const told: string[] = []
  const is = { hidden: false }
  const sight = new Sight({
    isHidden: () => is.hidden,
    later: (run, ms) => {
      const timer = setTimeout(run, ms)
      return () => clearTimeout(timer)
    },
    onSeen: () => told.push('open'),
    onUnseen: () => told.push('close'),
  })
  const show = (hidden: boolean) => {
    is.hidden = hidden
    sight.changed()
  }
  return { told, sight, show }
}

test('a page that nobody sees closes its lines, and opens them when it is seen again', () => {
  const { told, show } = page()
  show(true)
  vi.advanceTimersByTime(HIDDEN_FOR_MS - 1)
  expect(told).toEqual([])
  vi.advanceTimersByTime(1)
  expect(told).toEqual(['close'])
  show(false)
  expect(told).toEqual(['close', 'open'])
})

test('a glance at another tab cuts no picture', () => {
  const { told, show } = page()
  show(true)
  vi.advanceTimersByTime(HIDDEN_FOR_MS / 2)
  show(false)
  vi.advanceTimersByTime(HIDDEN_FOR_MS * 2)
  expect(told).toEqual(['open'])
})

test('a tile that was taken away hears nothing more', () => {
  const { told, sight, show } = page()
  show(true)
  sight.end()
  vi.advanceTimersByTime(HIDDEN_FOR_MS * 2)
  expect(told).toEqual([])
})
