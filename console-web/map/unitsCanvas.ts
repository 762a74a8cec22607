/**
 * Patrol units as points on a canvas of their own above the map: one buffer, one draw call.
 *
 * In: the plain store of positions and where the map looks. Out: dots. Never: a repaint of the
 * map, since a unit that moved is no reason to draw every street again. Measured with 12,000 units
 * where the processor draws: a layer inside the map held the page 30 to 45 % of the time, most of
 * it waiting for the streets.
 */

import { toWorld } from './mercator'
import { meter, notePainted } from './meter'
import { FLOATS_A_UNIT, type Positions } from './positions'
import type { Point } from '../wire/model'

export const EVERY_MS = 100
export const EVERY_SLOW_MS = 500 // reduced motion, and graphics drawn by the processor
const CROWD_UNITS = 800 // so many still leave the streets to be seen
const SMALLEST_PX = 8
const AGEING_MS = 5_000 // paleness alone, where nothing moved

// All that is the same for a whole dot is reckoned once a unit, not once a pixel: where the
// processor draws, 12,000 dots are a million pixels a frame, and the page waits for them.
const VERTEX = `
attribute vec2 place;
attribute vec3 look;
uniform vec2 scale;
uniform vec2 shift;
uniform float size;
varying vec4 nose;
varying vec3 marks;
void main() {
  gl_Position = vec4(place * scale + shift, 0.0, 1.0);
  float looks = floor(look.z + 0.5);
  float chosen = mod(looks, 2.0);
  float muted = mod(floor(looks / 2.0), 2.0);
  float doubt = looks > 3.5 ? 1.0 : 0.0;
  gl_PointSize = chosen > 0.5 ? max(size, 24.0) : size;
  float turn = look.y * 6.2831853;
  float has = look.y < 0.0 ? 0.0 : 1.0;
  nose = vec4(sin(turn), -cos(turn), has, mix(1.0, 0.32, look.x));
  marks = vec3(chosen, muted, doubt);
}`

// A dot with a rim; a nose where it heads; a bar: muted; a hole: doubtful; a ring: chosen.
const FRAGMENT = `
precision mediump float;
uniform vec3 fill;
uniform vec3 rim;
varying vec4 nose;
varying vec3 marks;
void main() {
  vec2 p = gl_PointCoord - 0.5;
  float d = dot(p, p);
  float along = dot(p, nose.xy);
  float across = abs(p.x * nose.y - p.y * nose.x);
  bool ahead = nose.z > 0.5 && along > 0.15 && across < (0.5 - along) * 0.85;
  bool ring = marks.x > 0.5 && d > 0.13 && d < 0.25;
  if (d > 0.09 && !ahead && !ring) discard;
  bool core = d < 0.0576 && !(marks.y > 0.5 && abs(p.y) < 0.055) && !(marks.z > 0.5 && d < 0.017);
  bool tip = ahead && along > 0.2 && across < (0.44 - along) * 0.8;
  bool band = ring && d > 0.16 && d < 0.221;
  gl_FragColor = vec4(core || tip || band ? fill : rim, 1.0) * nose.w;
}`

export interface UnitLook {
  fill: [number, number, number]
  rim: [number, number, number]
}

/** What the map shows now. `holes` are places on it, in pixels, that the dots must not cover. */
export interface View {
  centre: Point
  zoom: number
  holes: readonly { x: number; y: number; radius: number }[]
}

interface Program {
  scale: WebGLUniformLocation | null
  shift: WebGLUniformLocation | null
  size: WebGLUniformLocation | null
  fill: WebGLUniformLocation | null
  rim: WebGLUniformLocation | null
}

const TILE_PX = 512 // the world at zoom 0

export class UnitsCanvas {
  everyMs = EVERY_MS
  readonly #canvas = document.createElement('canvas')
  #gl: WebGLRenderingContext | null = null
  #program: Program | null = null
  #points: Float32Array<ArrayBuffer> = new Float32Array(0)
  #count = 0
  #packedAt = -Infinity
  #packedVersion = -1
  #timer: ReturnType<typeof setTimeout> | undefined
  #chosen: ReadonlySet<string> = new Set()

  constructor(
    into: HTMLElement,
    private look: UnitLook,
    private readonly positions: Positions,
    private readonly now: () => number, // ms since 1970, by the node's clock
    private readonly view: () => View,
  ) {
    this.#canvas.setAttribute('aria-hidden', 'true')
    this.#canvas.style.cssText = 'position:absolute;inset:0;width:100%;height:100%;pointer-events:none'
    this.#canvas.addEventListener('webglcontextlost', (event) => {
      event.preventDefault() // so that the browser gives it back
      this.#program = null
    })
    this.#canvas.addEventListener('webglcontextrestored', () => {
      this.#prepare()
      this.#pack()
    })
    into.append(this.#canvas)
    this.#prepare()
  }

  choose(chosen: ReadonlySet<string>): void {
    this.#chosen = chosen
    this.#packedVersion = -1
    this.wake()
  }

  recolour(look: UnitLook): void {
    this.look = look
    this.draw()
  }

  /** To be called when the map is closed: no timer outlives it. */
  close(): void {
    clearTimeout(this.#timer)
    this.#canvas.remove()
  }

  /** Something may have moved; safe to call often. Paints now, or as soon as the pace allows. */
  wake(): void {
    const since = performance.now() - this.#packedAt
    const news = this.#packedVersion !== this.positions.version
    if (!news && since < AGEING_MS) return
    if (since >= this.everyMs) this.#pack()
    else this.#timer ??= setTimeout(() => this.#pack(), this.everyMs - since)
  }

  #pack(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (document.hidden) return // nobody looks: the next change paints the present
    const began = performance.now()
    const packed = this.positions.pack(this.#points, this.now(), this.#chosen)
    this.#points = packed.points
    this.#count = packed.count
    this.#packedVersion = this.positions.version
    this.#packedAt = began
    const gl = this.#gl
    if (gl && this.#program) {
      const filled = this.#points.subarray(0, this.#count * FLOATS_A_UNIT)
      gl.bufferData(gl.ARRAY_BUFFER, filled, gl.DYNAMIC_DRAW)
    }
    meter.paintMs += performance.now() - began
    this.draw()
    notePainted(this.positions.takeFreshAges(this.now()))
  }

  /** Draws what was packed as the map looks now: for a map that moved under units that did not. */
  draw(): void {
    const gl = this.#gl
    const program = this.#program
    const { clientWidth: width, clientHeight: height } = this.#canvas
    if (!gl || !program || width === 0) return
    const began = performance.now()
    const ratio = window.devicePixelRatio
    this.#fitTo(Math.round(width * ratio), Math.round(height * ratio))
    const view = this.view()
    // In double precision: what goes to the card is small, near the screen, and keeps its digits.
    const centre = toWorld(view.centre)
    const world = TILE_PX * 2 ** view.zoom
    const [across, down] = [(2 * world) / width, (-2 * world) / height]
    const { origin } = this.positions
    gl.clear(gl.COLOR_BUFFER_BIT)
    gl.uniform2f(program.scale, across, down)
    gl.uniform2f(program.shift, (origin.x - centre.x) * across, (origin.y - centre.y) * down)
    gl.uniform1f(program.size, this.#size(view.zoom) * ratio)
    gl.uniform3fv(program.fill, this.look.fill)
    gl.uniform3fv(program.rim, this.look.rim)
    if (this.#count) gl.drawArrays(gl.POINTS, 0, this.#count)
    this.#cut(gl, view, ratio)
    meter.paintMs += performance.now() - began
  }

  /** A dot never covers the mark of an incident or alert. */
  #cut(gl: WebGLRenderingContext, view: View, ratio: number): void {
    gl.enable(gl.SCISSOR_TEST)
    for (const { x, y, radius } of view.holes) {
      const side = 2 * radius * ratio
      gl.scissor((x - radius) * ratio, this.#canvas.height - (y + radius) * ratio, side, side)
      gl.clear(gl.COLOR_BUFFER_BIT)
    }
    gl.disable(gl.SCISSOR_TEST)
  }

  #fitTo(width: number, height: number): void {
    if (this.#canvas.width === width && this.#canvas.height === height) return
    this.#canvas.width = width
    this.#canvas.height = height
    this.#gl?.viewport(0, 0, width, height)
  }

  #prepare(): void {
    const settings: WebGLContextAttributes = { antialias: false, depth: false }
    this.#gl ??= this.#canvas.getContext('webgl', settings)
    const gl = this.#gl
    const program = gl?.createProgram()
    if (!gl || !program) return // lost again: the next restoring comes with a new one
    for (const [kind, source] of [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ] as const) {
      const shader = gl.createShader(kind)
      if (!shader) return
      gl.shaderSource(shader, source)
      gl.compileShader(shader)
      gl.attachShader(program, shader)
      gl.deleteShader(shader)
    }
    gl.linkProgram(program)
    gl.useProgram(program)
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer())
    const stride = FLOATS_A_UNIT * 4
    for (const [name, size, from] of [
      ['place', 2, 0],
      ['look', 3, 8],
    ] as const) {
      const at = gl.getAttribLocation(program, name)
      gl.enableVertexAttribArray(at)
      gl.vertexAttribPointer(at, size, gl.FLOAT, false, stride, from)
    }
    gl.enable(gl.BLEND)
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
    gl.viewport(0, 0, this.#canvas.width, this.#canvas.height)
    const at = (name: string) => gl.getUniformLocation(program, name)
    this.#program = {
      scale: at('scale'),
      shift: at('shift'),
      size: at('size'),
      fill: at('fill'),
      rim: at('rim'),
    }
  }

  /** From afar, and in a crowd, the dots must not hide the streets; near, a nose must be seen. */
  #size(zoom: number): number {
    const grown = clamped((zoom - 9) / 4)
    const crowded = Math.min(1, Math.sqrt(CROWD_UNITS / Math.max(1, this.#count)))
    const apart = clamped((zoom - 13) / 2) // from here on the crowd is spread over many screens
    return Math.max(SMALLEST_PX, (11 + 13 * grown) * (crowded + (1 - crowded) * apart))
  }
}

function clamped(share: number): number {
  return Math.min(1, Math.max(0, share))
}
