/** The level marks and readers as small pictures for the map: shape and number, like the queue's. */

import type { Level } from '../wire/model'

const RATIO = 2
const SIZE = 34

export interface Mark {
  name: string
  data: ImageData
  ratio: number
}

const SHAPES: Record<Level, string> = {
  1: 'M10.5 2h11L30 10.5v11L21.5 30h-11L2 21.5v-11z',
  2: 'M16 1.5L31 29H1z',
  3: 'M4 4h24v24H4z',
  4: 'M16 2a14 14 0 1 1 0 28 14 14 0 0 1 0-28z',
}

function canvas(size: number): CanvasRenderingContext2D {
  const element = document.createElement('canvas')
  element.width = element.height = size * RATIO
  const pen = element.getContext('2d')!
  pen.scale(RATIO, RATIO)
  return pen
}

function taken(pen: CanvasRenderingContext2D, size: number, name: string): Mark {
  return { name, data: pen.getImageData(0, 0, size * RATIO, size * RATIO), ratio: RATIO }
}

function alertMark(level: Level, style: CSSStyleDeclaration): Mark {
  const pen = canvas(SIZE)
  const fill = style.getPropertyValue(`--p${level}`)
  const ink = style.getPropertyValue(`--p${level}-ink`)
  pen.translate(3, 3)
  pen.scale(28 / 32, 28 / 32)
  const shape = new Path2D(SHAPES[level])
  pen.lineWidth = 4
  pen.lineJoin = 'round'
  pen.strokeStyle = style.getPropertyValue('--ground')
  pen.stroke(shape)
  pen.fillStyle = fill
  pen.fill(shape)
  pen.fillStyle = ink
  pen.font = `700 ${level === 2 ? 15 : 17}px system-ui, 'DejaVu Sans', sans-serif`
  pen.textAlign = 'center'
  pen.fillText(String(level), 16, level === 2 ? 26 : 22)
  return taken(pen, SIZE, `alert-${level}`)
}

/** An incident is the level's shape hollow, larger than an alert's: both can be seen at one place. */
function incidentMark(level: Level, style: CSSStyleDeclaration): Mark {
  const size = 48
  const pen = canvas(size)
  const shape = new Path2D(SHAPES[level])
  pen.translate(6, 6)
  pen.scale(36 / 32, 36 / 32)
  pen.lineJoin = 'round'
  pen.lineWidth = 7
  pen.strokeStyle = style.getPropertyValue('--ground')
  pen.stroke(shape)
  pen.globalAlpha = 0.55
  pen.fillStyle = style.getPropertyValue('--ground')
  pen.fill(shape)
  pen.globalAlpha = 1
  pen.lineWidth = 3.4
  pen.strokeStyle = style.getPropertyValue(`--p${level}`)
  pen.stroke(shape)
  pen.fillStyle = style.getPropertyValue('--text')
  pen.font = `700 ${level === 2 ? 13 : 15}px system-ui, 'DejaVu Sans', sans-serif`
  pen.textAlign = 'center'
  pen.fillText(String(level), 16, level === 2 ? 25.5 : 21.5)
  return taken(pen, size, `incident-${level}`)
}

/** A partner's: the level's shape with a broken outline and nothing inside but its number. */
function sharedMark(level: Level, style: CSSStyleDeclaration): Mark {
  const size = 40
  const pen = canvas(size)
  const shape = new Path2D(SHAPES[level])
  pen.translate(4, 4)
  pen.lineJoin = 'round'
  pen.lineWidth = 6
  pen.strokeStyle = style.getPropertyValue('--ground')
  pen.stroke(shape)
  pen.fillStyle = style.getPropertyValue('--panel')
  pen.fill(shape)
  pen.setLineDash([5, 3.2])
  pen.lineWidth = 3
  pen.strokeStyle = style.getPropertyValue(`--p${level}`)
  pen.stroke(shape)
  pen.fillStyle = style.getPropertyValue('--text')
  pen.font = `700 ${level === 2 ? 13 : 15}px system-ui, 'DejaVu Sans', sans-serif`
  pen.textAlign = 'center'
  pen.fillText(String(level), 16, level === 2 ? 25.5 : 21.5)
  return taken(pen, size, `shared-${level}`)
}

/** A unit of a partner: no dot, for dots are ours. */
function sharedUnitMark(style: CSSStyleDeclaration): Mark {
  const size = 18
  const pen = canvas(size)
  pen.translate(size / 2, size / 2)
  pen.rotate(Math.PI / 4)
  pen.beginPath()
  pen.rect(-4.5, -4.5, 9, 9)
  pen.fillStyle = style.getPropertyValue('--ground')
  pen.strokeStyle = style.getPropertyValue('--text')
  pen.lineWidth = 2
  pen.fill()
  pen.stroke()
  return taken(pen, size, 'shared-unit')
}

function ringMark(style: CSSStyleDeclaration): Mark {
  const size = 58
  const pen = canvas(size)
  pen.lineWidth = 3
  pen.strokeStyle = style.getPropertyValue('--ground')
  pen.beginPath()
  pen.arc(size / 2, size / 2, 25, 0, 2 * Math.PI)
  pen.lineWidth = 6
  pen.stroke()
  pen.strokeStyle = style.getPropertyValue('--text')
  pen.lineWidth = 2.5
  pen.stroke()
  return taken(pen, size, 'selected-ring')
}

/** A small camera post that looks where it looks (north; the map turns it). */
function readerMark(style: CSSStyleDeclaration, faces: boolean): Mark {
  const size = 22
  const pen = canvas(size)
  const grey = style.getPropertyValue('--p4')
  pen.translate(size / 2, size / 2)
  if (faces) {
    pen.fillStyle = grey
    pen.globalAlpha = 0.45
    pen.beginPath()
    pen.moveTo(0, 0)
    pen.lineTo(-6, -10.5)
    pen.lineTo(6, -10.5)
    pen.closePath()
    pen.fill()
    pen.globalAlpha = 1
  }
  pen.fillStyle = style.getPropertyValue('--ground')
  pen.strokeStyle = grey
  pen.lineWidth = 2
  pen.beginPath()
  pen.rect(-3.2, -3.2, 6.4, 6.4)
  pen.fill()
  pen.stroke()
  return taken(pen, size, faces ? 'reader-facing' : 'reader')
}

const STEM_PX = 15

/**
 * A shot is its level's shape on a stem that ends at the place: the ellipse under it stays in
 * sight. Arcs to both sides say sound. The selected one has a rim.
 */
function shotMark(level: Level, style: CSSStyleDeclaration, selected: boolean): Mark {
  const size = 52
  const pen = canvas(size)
  const fill = style.getPropertyValue(`--p${level}`)
  const ground = style.getPropertyValue('--ground')
  const text = style.getPropertyValue('--text')
  const foot = size - 1
  pen.lineCap = 'round'
  for (const [colour, width] of [[ground, 6], [selected ? text : fill, 2.5]] as const) {
    pen.strokeStyle = colour
    pen.lineWidth = width
    pen.beginPath()
    pen.moveTo(size / 2, foot - STEM_PX - 4)
    pen.lineTo(size / 2, foot)
    for (const [side, turn] of [[1, 0], [-1, Math.PI]] as const) {
      pen.moveTo(size / 2 + side * 18 * Math.cos(0.6), 18 - 18 * Math.sin(0.6))
      pen.arc(size / 2, 18, 18, turn - 0.6, turn + 0.6)
    }
    pen.stroke()
  }
  pen.translate(size / 2 - 14, 4)
  pen.scale(28 / 32, 28 / 32)
  const shape = new Path2D(SHAPES[level])
  pen.lineJoin = 'round'
  pen.lineWidth = selected ? 8 : 4
  pen.strokeStyle = selected ? text : ground
  pen.stroke(shape)
  if (selected) {
    pen.lineWidth = 3
    pen.strokeStyle = ground
    pen.stroke(shape)
  }
  pen.fillStyle = fill
  pen.fill(shape)
  pen.fillStyle = style.getPropertyValue(`--p${level}-ink`)
  pen.font = `700 ${level === 2 ? 15 : 17}px system-ui, 'DejaVu Sans', sans-serif`
  pen.textAlign = 'center'
  pen.fillText(String(level), 16, level === 2 ? 26 : 22)
  return taken(pen, size, `shot-${level}${selected ? '-on' : ''}`)
}

/** A sensor: full heard it, hollow was silent, crossed is out; with a dot it listens. */
function earMark(ear: 'heard' | 'silent' | 'down' | 'up', style: CSSStyleDeclaration): Mark {
  const size = 20
  const pen = canvas(size)
  const [ink, ground] = [style.getPropertyValue('--text'), style.getPropertyValue('--ground')]
  const middle = size / 2
  pen.beginPath()
  pen.arc(middle, middle, 6, 0, 2 * Math.PI)
  pen.fillStyle = ear === 'heard' ? ink : ground
  pen.strokeStyle = ground
  pen.lineWidth = 6
  pen.stroke()
  pen.fill()
  pen.strokeStyle = ink
  pen.lineWidth = 2
  pen.stroke()
  pen.beginPath()
  if (ear === 'down') {
    pen.moveTo(3.5, 3.5)
    pen.lineTo(size - 3.5, size - 3.5)
    pen.moveTo(size - 3.5, 3.5)
    pen.lineTo(3.5, size - 3.5)
    pen.stroke()
  } else if (ear === 'up') {
    pen.arc(middle, middle, 2, 0, 2 * Math.PI)
    pen.fillStyle = ink
    pen.fill()
  }
  return taken(pen, size, `ear-${ear}`)
}

/**
 * A camera: a lens with a nose to where it looks (north; the map turns it). Full can be looked at,
 * crossed gives no picture, hollow is not open to this person.
 */
function cameraMark(kind: 'up' | 'down' | 'shut', faces: boolean, style: CSSStyleDeclaration): Mark {
  const size = 22
  const pen = canvas(size)
  const [ink, ground] = [style.getPropertyValue('--text'), style.getPropertyValue('--ground')]
  pen.translate(size / 2, size / 2)
  pen.lineJoin = 'round'
  pen.beginPath()
  if (faces) {
    pen.moveTo(-4.5, -8.5)
    pen.lineTo(4.5, -8.5)
    pen.lineTo(2.6, -3)
    pen.arc(0, 1.5, 5.2, -1.05, Math.PI + 1.05)
    pen.closePath()
  } else pen.arc(0, 0, 5.2, 0, 2 * Math.PI)
  pen.strokeStyle = ground
  pen.lineWidth = 5
  pen.stroke()
  pen.fillStyle = kind === 'up' ? ink : ground
  pen.fill()
  pen.strokeStyle = kind === 'shut' ? style.getPropertyValue('--muted') : ink
  pen.lineWidth = 1.6
  pen.stroke()
  if (kind === 'down') {
    pen.beginPath()
    pen.moveTo(-7, 7)
    pen.lineTo(7, -7)
    pen.lineWidth = 2
    pen.stroke()
  }
  return taken(pen, size, `camera-${kind}${faces ? '-facing' : ''}`)
}

function bundleMark(style: CSSStyleDeclaration): Mark {
  const size = 32
  const pen = canvas(size)
  pen.beginPath()
  pen.roundRect(2.5, 5.5, size - 5, size - 11, 6)
  pen.fillStyle = style.getPropertyValue('--panel')
  pen.fill()
  pen.strokeStyle = style.getPropertyValue('--text')
  pen.lineWidth = 1.5
  pen.stroke()
  return taken(pen, size, 'camera-bundle')
}

/** All marks in the colours that the page has now. */
export function drawMarks(): Mark[] {
  const style = getComputedStyle(document.documentElement)
  return [
    ...([1, 2, 3, 4] as const).map((level) => alertMark(level, style)),
    ...([1, 2, 3, 4] as const).map((level) => incidentMark(level, style)),
    ...([1, 2, 3, 4] as const).map((level) => sharedMark(level, style)),
    sharedUnitMark(style),
    ...([1, 2, 3, 4] as const).flatMap((level) => [
      shotMark(level, style, false),
      shotMark(level, style, true),
    ]),
    ...(['heard', 'silent', 'down', 'up'] as const).map((ear) => earMark(ear, style)),
    ...(['up', 'down', 'shut'] as const).flatMap((kind) => [
      cameraMark(kind, false, style),
      cameraMark(kind, true, style),
    ]),
    bundleMark(style),
    ringMark(style),
    readerMark(style, false),
    readerMark(style, true),
  ]
}
