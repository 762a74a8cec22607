/** One clip's waveform on a canvas: sound, onsets, rounds and the playing place. */

import type { Wave } from '../wire/model.shots'
import { type Axis, share } from './align'

const FULL_SCALE = 128
const PAD_PX = 3
const ONSET_PX = 6

export interface Inks {
  sound: string
  faint: string
  round: string
  onset: string
  head: string
}

export function inksOf(element: HTMLElement): Inks {
  const style = getComputedStyle(element)
  const ink = (name: string) => style.getPropertyValue(name).trim()
  return {
    sound: ink('--text'),
    faint: ink('--line'),
    round: ink('--line-strong'),
    onset: ink('--ask'),
    head: ink('--stale'),
  }
}

export interface Scene {
  wave: Wave
  axis: Axis
  starts: number // where the clip begins on the axis
  rounds: readonly number[]
  head: number | null // seconds into the clip that sound now
}

/** Clears and paints. The loudest step of the clip fills the height: a far one is seen too. */
export function paintWave(canvas: HTMLCanvasElement, scene: Scene, inks: Inks): void {
  const ratio = devicePixelRatio || 1
  const [w, h] = [canvas.clientWidth, canvas.clientHeight]
  if (w === 0 || h === 0) return
  canvas.width = Math.round(w * ratio)
  canvas.height = Math.round(h * ratio)
  const pen = canvas.getContext('2d')
  if (!pen) return
  pen.scale(ratio, ratio)
  const x = (seconds: number) => share(seconds, scene.axis) * w
  paintRounds(pen, scene, x, h, inks)
  paintSound(pen, scene, x, h, inks)
  paintOnsets(pen, scene, x, inks)
  if (scene.head !== null) {
    pen.fillStyle = inks.head
    pen.fillRect(x(scene.starts + scene.head) - 1, 0, 2, h)
  }
}

type Across = (seconds: number) => number

function paintRounds(pen: CanvasRenderingContext2D, scene: Scene, x: Across, h: number, inks: Inks): void {
  pen.strokeStyle = inks.round
  pen.setLineDash([2, 3])
  pen.beginPath()
  for (const round of scene.rounds) {
    pen.moveTo(Math.round(x(round)) + 0.5, 0)
    pen.lineTo(Math.round(x(round)) + 0.5, h)
  }
  pen.stroke()
  pen.setLineDash([])
}

function paintSound(pen: CanvasRenderingContext2D, scene: Scene, x: Across, h: number, inks: Inks): void {
  const { wave, starts } = scene
  const middle = h / 2
  pen.fillStyle = inks.faint
  pen.fillRect(x(starts), middle - 0.5, x(starts + wave.seconds) - x(starts), 1)
  const loudest = Math.max(1, ...wave.peaks.map(([low, high]) => Math.max(-low, high)))
  const scale = (middle - PAD_PX) / Math.min(FULL_SCALE, loudest)
  const step = wave.seconds / Math.max(1, wave.peaks.length)
  pen.fillStyle = inks.sound
  for (const [i, [low, high]] of wave.peaks.entries()) {
    const from = x(starts + i * step)
    const wide = Math.max(0.8, x(starts + (i + 1) * step) - from)
    pen.fillRect(from, middle - high * scale, wide, Math.max(0.8, (high - low) * scale))
  }
}

/** A small wedge at the top: shape, not only colour, tells an onset from a round. */
function paintOnsets(pen: CanvasRenderingContext2D, scene: Scene, x: Across, inks: Inks): void {
  pen.fillStyle = inks.onset
  for (const onset of scene.wave.onsets) {
    const at = x(scene.starts + onset)
    pen.beginPath()
    pen.moveTo(at - ONSET_PX / 1.5, 0)
    pen.lineTo(at + ONSET_PX / 1.5, 0)
    pen.lineTo(at, ONSET_PX)
    pen.closePath()
    pen.fill()
  }
}
