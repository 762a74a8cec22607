import { expect, test } from 'vitest'

import type { Brief } from '../wire/model'
import { Announcer } from './announcer'

class Car {
  said: string[] = []
  heard: number[] = []
  silent: number[] = []
  hasVoice = true
  #end: ((heard: boolean) => void) | null = null
  #later: (() => void) | null = null
  announcer = new Announcer({
    speak: (text, onEnd) => {
      if (!this.hasVoice) return null
      this.said.push(text)
      this.#end = onEnd
      return { stop: () => (this.#end = null) }
    },
    whole: (brief) => (brief.recalled ? 'recalled' : `all of v${brief.version}`),
    change: (before, after) => `v${before.version} to v${after.version}`,
    later: (run) => {
      this.#later = run
      return () => (this.#later = null)
    },
    onSpeaking: () => undefined,
    onHeard: (brief) => this.heard.push(brief.version),
    onNoVoice: (brief) => this.silent.push(brief.version),
  })

  comes(version: number, more: Partial<Brief> = {}): void {
    this.announcer.news({ brief_id: 'b', version, ...more } as Brief)
  }
  pause(): void {
    const run = this.#later
    this.#later = null
    run?.()
  }
  ends(heard = true): void {
    const end = this.#end
    this.#end = null
    end?.(heard)
  }
}

test('the first version is spoken whole, the next as the difference', () => {
  const car = new Car()
  car.comes(1)
  car.pause()
  car.ends()
  car.comes(2)
  car.pause()
  car.ends()
  expect(car.said).toEqual(['all of v1', 'v1 to v2'])
  expect(car.heard).toEqual([1, 2])
})

test('versions that come while one is spoken wait for its end and are one difference', () => {
  const car = new Car()
  car.comes(1)
  car.pause()
  car.comes(2)
  car.comes(3)
  expect(car.said).toEqual(['all of v1'])
  car.ends()
  car.ends()
  expect(car.said).toEqual(['all of v1', 'v1 to v3'])
  expect(car.heard).toEqual([1, 3])
})

test('versions missed during an outage are gathered into one difference', () => {
  const car = new Car()
  car.comes(1)
  car.pause()
  car.ends()
  for (const version of [2, 3, 4, 5]) car.comes(version)
  car.pause()
  expect(car.said.at(-1)).toBe('v1 to v5')
})

test('what was not said to its end was not heard, and is told with the next', () => {
  const car = new Car()
  car.comes(1)
  car.pause()
  car.ends()
  car.comes(2)
  car.pause()
  car.ends(false)
  expect(car.heard).toEqual([1])
  expect(car.silent).toEqual([2])
  car.comes(3)
  car.pause()
  expect(car.said.at(-1)).toBe('v1 to v3')
})

test('a recall cuts in at once', () => {
  const car = new Car()
  car.comes(1)
  car.pause()
  car.comes(2, { recalled: true })
  expect(car.said).toEqual(['all of v1', 'recalled'])
  car.ends()
  expect(car.heard).toEqual([2])
})

test('a phone without a voice says so', () => {
  const car = new Car()
  car.hasVoice = false
  car.comes(1)
  car.pause()
  expect(car.silent).toEqual([1])
  expect(car.heard).toEqual([])
})

test('a brief that is wiped is neither spoken on nor remembered', () => {
  const car = new Car()
  car.comes(1)
  car.pause()
  car.ends()
  car.announcer.forget('b')
  expect(car.announcer.hasHeard('b')).toBe(false)
})
