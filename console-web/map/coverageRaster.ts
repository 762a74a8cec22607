/**
 * The coverage as a picture: a step of one hue for each range of chance, and the 90 % line.
 *
 * Steps differ in lightness, the lowest is hatched and the 90 % line is drawn: colour is not alone.
 */

import type { Coverage } from '../wire/model.shots'

export const STEPS = [0, 50, 70, 90] as const // percent, where each step begins
export const CELL_PX = 8
const SIDE_PX_MAX = 2_048
const HUE = { dark: [94, 234, 212], light: [15, 118, 110] } as const
const OPACITY = { dark: [0.1, 0.16, 0.26, 0.4], light: [0.1, 0.18, 0.3, 0.44] } as const
const OUTSIDE = -1

/** 0…3: which step a chance falls into; −1 outside of the area. */
export function stepOf(percent: number): number {
  if (percent <= OUTSIDE) return -1
  return STEPS.findLastIndex((from) => percent >= from)
}

export function coloursOf(isLight: boolean): string[] {
  const look = isLight ? 'light' : 'dark'
  return OPACITY[look].map((alpha) => `rgb(${HUE[look].join(' ')} / ${alpha * 100}%)`)
}

/** Paints the whole surface; the caller lays it between its west, south, east and north. */
export function paintCoverage(canvas: HTMLCanvasElement, coverage: Coverage, isLight: boolean): void {
  const { columns, rows, p } = coverage
  const cell = Math.max(1, Math.min(CELL_PX, Math.floor(SIDE_PX_MAX / Math.max(columns, rows))))
  canvas.width = columns * cell
  canvas.height = rows * cell
  const pen = canvas.getContext('2d')!
  pen.clearRect(0, 0, canvas.width, canvas.height)
  const colours = coloursOf(isLight)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const step = stepOf(p[row * columns + column] ?? OUTSIDE)
      if (step < 0) continue
      pen.fillStyle = colours[step]!
      pen.fillRect(column * cell, row * cell, cell, cell)
    }
  }
  hatch(pen, coverage, cell, colours[1]!)
}

/** The lowest step is also hatched. */
function hatch(pen: CanvasRenderingContext2D, coverage: Coverage, cell: number, ink: string): void {
  if (cell < 4) return
  const { columns, rows, p } = coverage
  pen.strokeStyle = ink
  pen.lineWidth = 1
  pen.beginPath()
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (stepOf(p[row * columns + column] ?? OUTSIDE) !== 0) continue
      pen.moveTo(column * cell, (row + 1) * cell)
      pen.lineTo((column + 1) * cell, row * cell)
    }
  }
  pen.stroke()
}

/** Where the chance passes 90 %: the borders of cells, joined along each row and column. */
export function ninetyLine(coverage: Coverage): [number, number][][] {
  const { columns, rows, west, south, east, north } = coverage
  const isIn = (row: number, column: number) =>
    row >= 0 && row < rows && column >= 0 && column < columns &&
    (coverage.p[row * columns + column] ?? OUTSIDE) >= 90
  const lon = (column: number) => west + ((east - west) * column) / columns
  const lat = (row: number) => north - ((north - south) * row) / rows
  const lines: [number, number][][] = []
  for (let row = 0; row <= rows; row++) {
    run(columns, (c) => isIn(row - 1, c) !== isIn(row, c), (from, to) =>
      lines.push([[lon(from), lat(row)], [lon(to), lat(row)]]),
    )
  }
  for (let column = 0; column <= columns; column++) {
    run(rows, (r) => isIn(r, column - 1) !== isIn(r, column), (from, to) =>
      lines.push([[lon(column), lat(from)], [lon(column), lat(to)]]),
    )
  }
  return lines
}

function run(count: number, isEdge: (i: number) => boolean, told: (from: number, to: number) => void): void {
  let from: number | null = null
  for (let i = 0; i <= count; i++) {
    const edge = i < count && isEdge(i)
    if (edge && from === null) from = i
    if (!edge && from !== null) {
      told(from, i)
      from = null
    }
  }
}
