/**
 * What the keys mean while a person turns a camera.
 *
 * In: which keys are down. Out: speeds from −1 to 1. Never: a movement that goes on by itself.
 */

export interface Speeds {
  pan: number
  tilt: number
  zoom: number
}

export const STILL: Speeds = { pan: 0, tilt: 0, zoom: 0 }
export const SPEED = 0.6
export const REPEAT_MS = 500 // a movement is told again while it lasts, so that a lost stop ends it

const MEANS: Readonly<Record<string, Partial<Speeds>>> = {
  ArrowLeft: { pan: -1 },
  ArrowRight: { pan: 1 },
  ArrowUp: { tilt: 1 },
  ArrowDown: { tilt: -1 },
  '+': { zoom: 1 },
  '=': { zoom: 1 },
  '-': { zoom: -1 },
  '−': { zoom: -1 },
}

export const isPtzKey = (key: string): boolean => key in MEANS

/** Two keys together go slantwise; opposite ones stand still. */
export function speedsOf(held: Iterable<string>): Speeds {
  const sum = { ...STILL }
  for (const key of held) {
    const { pan = 0, tilt = 0, zoom = 0 } = MEANS[key] ?? {}
    sum.pan += pan
    sum.tilt += tilt
    sum.zoom += zoom
  }
  const of = (n: number) => Math.sign(n) * SPEED
  return { pan: of(sum.pan), tilt: of(sum.tilt), zoom: of(sum.zoom) }
}

export const isStill = ({ pan, tilt, zoom }: Speeds): boolean => pan === 0 && tilt === 0 && zoom === 0
