/**
 * Patrol units as points in one small WebGL layer: one buffer, one draw call.
 *
 * 2,000 units at 10 Hz cost about 50 ms/s of the main thread here; a GeoJSON source fed with
 * `setData` costs two to seven times that. Only units that were heard of are packed: others
 * would stand at (0, 0), in the Gulf of Guinea.
 */

import type { CustomLayerInterface, CustomRenderMethodInput, Map as GlMap } from 'maplibre-gl'

import { originMatrix } from './mercator'
import { meter, notePainted } from './meter'
import { FLOATS_A_UNIT, type Positions } from './positions'

export const EVERY_MS = 100
export const EVERY_SLOW_MS = 500 // reduced motion, and graphics drawn by the processor
const AGEING_MS = 5_000 // paleness alone, where nothing moved

const VERTEX = `
attribute vec2 place;
attribute vec3 look;
uniform mat4 matrix;
uniform float size;
varying vec3 shade;
void main() {
  gl_Position = matrix * vec4(place, 0.0, 1.0);
  gl_PointSize = size;
  shade = look;
}`

// A dot with a rim; a nose where it heads; a bar: muted; a hole: doubtful; a ring: chosen.
const FRAGMENT = `
precision mediump float;
uniform vec3 fill;
uniform vec3 rim;
varying vec3 shade;
void main() {
  vec2 p = gl_PointCoord - 0.5;
  float d = length(p);
  float looks = floor(shade.z + 0.5);
  bool chosen = mod(looks, 2.0) > 0.5;
  bool muted = mod(floor(looks / 2.0), 2.0) > 0.5;
  bool doubt = looks > 3.5;
  bool inside = d < 0.3;
  bool nose = false;
  bool noseRim = false;
  if (shade.y >= 0.0) {
    float turn = shade.y * 6.2831853;
    vec2 ahead = vec2(sin(turn), -cos(turn));
    float along = dot(p, ahead);
    float across = abs(p.x * ahead.y - p.y * ahead.x);
    nose = along > 0.2 && across < (0.44 - along) * 0.8;
    noseRim = along > 0.15 && across < (0.5 - along) * 0.85;
  }
  bool ring = chosen && d > 0.4 && d < 0.47;
  bool ringRim = chosen && d > 0.36 && d < 0.5;
  if (!(inside || nose || noseRim || ring || ringRim)) discard;
  bool light = (d < 0.24 || nose || ring) && !(muted && d < 0.24 && abs(p.y) < 0.055)
    && !(doubt && d < 0.13);
  float alpha = mix(1.0, 0.32, shade.x);
  gl_FragColor = vec4(light ? fill : rim, 1.0) * alpha;
}`

export interface UnitLook {
  fill: [number, number, number]
  rim: [number, number, number]
}

export class UnitsLayer implements CustomLayerInterface {
  readonly id = 'units'
  readonly type = 'custom' as const
  readonly renderingMode = '2d' as const
  everyMs = EVERY_MS
  #map: GlMap | null = null
  #program: WebGLProgram | null = null
  #buffer: WebGLBuffer | null = null
  #points: Float32Array<ArrayBuffer> = new Float32Array(0)
  #count = 0
  #dirty = true
  #packedAt = -Infinity
  #packedVersion = -1
  #timer: ReturnType<typeof setTimeout> | undefined
  #chosen: ReadonlySet<string> = new Set()

  constructor(
    private look: UnitLook,
    private readonly positions: Positions,
    private readonly now: () => number, // ms since 1970, by the node's clock
  ) {}

  choose(chosen: ReadonlySet<string>): void {
    this.#chosen = chosen
    this.#packedVersion = -1
    this.wake()
  }

  /** Something may have moved; safe to call often. Packs now, or as soon as the pace allows. */
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
    const began = performance.now()
    const packed = this.positions.pack(this.#points, this.now(), this.#chosen)
    this.#points = packed.points
    this.#count = packed.count
    this.#packedVersion = this.positions.version
    this.#packedAt = began
    this.#dirty = true
    meter.paintMs += performance.now() - began
    this.#map?.triggerRepaint()
  }

  recolour(look: UnitLook): void {
    this.look = look
    this.#map?.triggerRepaint()
  }

  onAdd(map: GlMap, gl: WebGLRenderingContext | WebGL2RenderingContext): void {
    this.#map = map
    const program = gl.createProgram()
    for (const [kind, source] of [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ] as const) {
      const shader = gl.createShader(kind)
      if (!shader || !program) return // a lost context: onAdd comes again with a new one
      gl.shaderSource(shader, source)
      gl.compileShader(shader)
      gl.attachShader(program, shader)
      gl.deleteShader(shader)
    }
    gl.linkProgram(program)
    this.#program = program
    this.#buffer = gl.createBuffer()
    this.#dirty = true
  }

  onRemove(_map: GlMap, gl: WebGLRenderingContext | WebGL2RenderingContext): void {
    gl.deleteBuffer(this.#buffer)
    gl.deleteProgram(this.#program)
    this.#map = null
  }

  /** To be called when the map is closed: no timer outlives it. */
  close(): void {
    clearTimeout(this.#timer)
  }

  render(
    gl: WebGLRenderingContext | WebGL2RenderingContext,
    input: CustomRenderMethodInput,
  ): void {
    const program = this.#program
    if (!program || this.#count === 0) return
    const began = performance.now()
    const matrix = originMatrix(
      input.defaultProjectionData.mainMatrix as ArrayLike<number>,
      this.positions.origin,
    )
    gl.useProgram(program)
    gl.uniformMatrix4fv(gl.getUniformLocation(program, 'matrix'), false, matrix)
    gl.uniform1f(gl.getUniformLocation(program, 'size'), this.#size() * window.devicePixelRatio)
    gl.uniform3fv(gl.getUniformLocation(program, 'fill'), this.look.fill)
    gl.uniform3fv(gl.getUniformLocation(program, 'rim'), this.look.rim)
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer)
    if (this.#dirty) {
      gl.bufferData(
        gl.ARRAY_BUFFER,
        this.#points.subarray(0, this.#count * FLOATS_A_UNIT),
        gl.DYNAMIC_DRAW,
      )
      this.#dirty = false
      notePainted(this.positions.takeFreshAges(this.now()))
    }
    const stride = FLOATS_A_UNIT * 4
    const place = gl.getAttribLocation(program, 'place')
    const look = gl.getAttribLocation(program, 'look')
    gl.enableVertexAttribArray(place)
    gl.vertexAttribPointer(place, 2, gl.FLOAT, false, stride, 0)
    gl.enableVertexAttribArray(look)
    gl.vertexAttribPointer(look, 3, gl.FLOAT, false, stride, 8)
    gl.enable(gl.BLEND)
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
    gl.drawArrays(gl.POINTS, 0, this.#count)
    meter.paintMs += performance.now() - began
  }

  /** From afar a thousand dots must not hide the streets; near, a nose must be seen. */
  #size(): number {
    const zoom = this.#map?.getZoom() ?? 12
    const grown = Math.min(1, Math.max(0, (zoom - 9) / 4))
    return 11 + 13 * grown
  }
}
