/**
 * Patrol units as points in one small WebGL layer: one buffer, one draw call.
 *
 * 2,000 units at 10 Hz cost about 50 ms/s of the main thread here; a GeoJSON source fed with
 * `setData` costs two to seven times that. Only units that were heard of are packed: others
 * would stand at (0, 0), in the Gulf of Guinea.
 */

import type { CustomLayerInterface, CustomRenderMethodInput, Map as GlMap } from 'maplibre-gl'

import type { Unit } from '../wire/model'
import { originMatrix, toWorld, type World } from './mercator'

const FLOATS_A_UNIT = 4 // x, y, age 0…1, selected
const FADED_AFTER_S = 30
const FADED_WHOLLY_S = 300

const VERTEX = `
attribute vec2 place;
attribute vec2 look;
uniform mat4 matrix;
uniform float ratio;
varying vec2 shade;
void main() {
  gl_Position = matrix * vec4(place, 0.0, 1.0);
  gl_PointSize = (look.y > 0.5 ? 20.0 : 14.0) * ratio;
  shade = look;
}`

const FRAGMENT = `
precision mediump float;
uniform vec3 fill;
uniform vec3 rim;
varying vec2 shade;
void main() {
  float d = length(gl_PointCoord - 0.5);
  if (d > 0.5) discard;
  float alpha = mix(1.0, 0.35, shade.x) * (1.0 - smoothstep(0.45, 0.5, d));
  bool ring = d > 0.36 || (shade.y > 0.5 && d > 0.24 && d < 0.3);
  gl_FragColor = vec4(ring ? rim : fill, 1.0) * alpha;
}`

export interface UnitLook {
  fill: [number, number, number]
  rim: [number, number, number]
}

export class UnitsLayer implements CustomLayerInterface {
  readonly id = 'units'
  readonly type = 'custom' as const
  readonly renderingMode = '2d' as const
  #map: GlMap | null = null
  #program: WebGLProgram | null = null
  #buffer: WebGLBuffer | null = null
  #points = new Float32Array(0)
  #count = 0
  #dirty = true
  #origin: World = { x: 0.2, y: 0.4 }

  constructor(private look: UnitLook) {}

  /** New positions; `now` in ms by the node's clock, for paleness. */
  set(units: readonly Unit[], assigned: string | null, now: number): void {
    const seen = units.filter((u) => u.place)
    const first = seen[0]?.place
    if (first) this.#origin = toWorld(first)
    if (this.#points.length < seen.length * FLOATS_A_UNIT) {
      this.#points = new Float32Array(seen.length * FLOATS_A_UNIT * 2)
    }
    seen.forEach((unit, i) => {
      const world = toWorld(unit.place!)
      const age = unit.heard_at ? (now - Date.parse(unit.heard_at)) / 1000 : FADED_WHOLLY_S
      const faded = (age - FADED_AFTER_S) / (FADED_WHOLLY_S - FADED_AFTER_S)
      this.#points.set(
        [
          world.x - this.#origin.x,
          world.y - this.#origin.y,
          Math.min(1, Math.max(0, faded)),
          unit.unit_id === assigned ? 1 : 0,
        ],
        i * FLOATS_A_UNIT,
      )
    })
    this.#count = seen.length
    this.#dirty = true
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

  render(
    gl: WebGLRenderingContext | WebGL2RenderingContext,
    input: CustomRenderMethodInput,
  ): void {
    const program = this.#program
    if (!program || this.#count === 0) return
    const matrix = originMatrix(input.defaultProjectionData.mainMatrix as ArrayLike<number>, this.#origin)
    gl.useProgram(program)
    gl.uniformMatrix4fv(gl.getUniformLocation(program, 'matrix'), false, matrix)
    gl.uniform1f(gl.getUniformLocation(program, 'ratio'), window.devicePixelRatio)
    gl.uniform3fv(gl.getUniformLocation(program, 'fill'), this.look.fill)
    gl.uniform3fv(gl.getUniformLocation(program, 'rim'), this.look.rim)
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer)
    if (this.#dirty) {
      gl.bufferData(gl.ARRAY_BUFFER, this.#points, gl.DYNAMIC_DRAW)
      this.#dirty = false
    }
    const stride = FLOATS_A_UNIT * 4
    const place = gl.getAttribLocation(program, 'place')
    const look = gl.getAttribLocation(program, 'look')
    gl.enableVertexAttribArray(place)
    gl.vertexAttribPointer(place, 2, gl.FLOAT, false, stride, 0)
    gl.enableVertexAttribArray(look)
    gl.vertexAttribPointer(look, 2, gl.FLOAT, false, stride, 8)
    gl.enable(gl.BLEND)
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
    gl.drawArrays(gl.POINTS, 0, this.#count)
  }
}
