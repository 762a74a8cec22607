/** The map's layers for shots, the sensors that heard them, and the gunshot coverage. */

import type { CanvasSource, GeoJSONSource, Map as GlMap } from 'maplibre-gl'

import type { Coverage, Sensor, ShotAlert } from '../wire/model.shots'
import { ninetyLine, paintCoverage } from './coverageRaster'
import { ears, ellipses, modeLabels, pins, rounds } from './shotShapes'

const EMPTY: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] }
const SOURCES = [
  'shot-ellipses',
  'shot-lines',
  'shot-rounds',
  'shot-sensors',
  'shot-modes',
  'shots',
  'coverage-90',
] as const
type SourceId = (typeof SOURCES)[number]
const FONT = ['system-ui', 'DejaVu Sans', 'sans-serif'].join(', ')
const COVERAGE = 'coverage'
const DASHES = { sure: null, doubtful: [3, 2], back: [2, 4] }

export interface ShotScene {
  shots: readonly ShotAlert[]
  selected: ShotAlert | null
  sensors: ReadonlyMap<string, Sensor>
  coverage: Coverage | null // null: the layer is off
  percent: (share: number) => string
}

export class ShotLayers {
  readonly #data = new Map<SourceId, GeoJSON.FeatureCollection>()
  readonly #canvas = document.createElement('canvas')
  #coverage: Coverage | null = null
  #isLight: boolean

  constructor(
    private readonly map: GlMap,
    isLight: boolean,
  ) {
    this.#isLight = isLight
  }

  get pins(): GeoJSON.FeatureCollection {
    return this.#data.get('shots') ?? EMPTY
  }

  relook(isLight: boolean): void {
    this.#isLight = isLight
  }

  show(scene: ShotScene): void {
    const id = scene.selected?.alert_id ?? null
    const heard = ears(scene.selected, scene.sensors, scene.coverage !== null)
    this.#set('shots', pins(scene.shots, id))
    this.#set('shot-ellipses', ellipses(scene.shots, id))
    this.#set('shot-modes', modeLabels(scene.selected, scene.percent))
    this.#set('shot-rounds', rounds(scene.selected))
    this.#set('shot-sensors', heard.sensors)
    this.#set('shot-lines', heard.lines)
    if (scene.coverage !== this.#coverage) {
      this.#coverage = scene.coverage
      this.#cover()
    }
  }

  #set(id: SourceId, data: GeoJSON.FeatureCollection): void {
    this.#data.set(id, data)
    this.map.getSource<GeoJSONSource>(id)?.setData(data)
  }

  /** Below the alerts' marks; called after each change of style. */
  dressBelow(): void {
    for (const id of SOURCES) {
      this.map.addSource(id, { type: 'geojson', data: this.#data.get(id) ?? EMPTY })
    }
    this.#cover()
    this.#dressEars()
    this.#dressPlaces()
  }

  dressAbove(): void {
    this.map.addLayer({
      id: 'shots',
      type: 'symbol',
      source: 'shots',
      layout: {
        'icon-image': ['concat', 'shot-', ['to-string', ['get', 'level']], ['case', ['get', 'selected'], '-on', '']],
        'icon-anchor': 'bottom',
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
        'symbol-sort-key': ['+', ['-', ['get', 'level']], ['case', ['get', 'selected'], 10, 0]],
      },
    })
  }

  get #ink(): string {
    return this.#isLight ? '#14202c' : '#e7edf3'
  }

  get #ground(): string {
    return this.#isLight ? '#ffffff' : '#10151b'
  }

  #cover(): void {
    const map = this.map
    if (!map.getSource('coverage-90')) return // the style is still coming; it is dressed then
    if (map.getLayer(COVERAGE)) map.removeLayer(COVERAGE)
    if (map.getLayer('coverage-line')) map.removeLayer('coverage-line')
    if (map.getSource(COVERAGE)) map.removeSource(COVERAGE)
    const coverage = this.#coverage
    if (!coverage) return
    paintCoverage(this.#canvas, coverage, this.#isLight)
    const { west, south, east, north } = coverage
    map.addSource(COVERAGE, {
      type: 'canvas',
      canvas: this.#canvas,
      animate: false,
      coordinates: [[west, north], [east, north], [east, south], [west, south]],
    } as CanvasSource['options'])
    const below = map.getLayer('shot-lines') ? 'shot-lines' : undefined
    map.addLayer(
      { id: COVERAGE, type: 'raster', source: COVERAGE, paint: { 'raster-resampling': 'linear', 'raster-fade-duration': 0 } },
      below,
    )
    const lines: GeoJSON.MultiLineString = { type: 'MultiLineString', coordinates: ninetyLine(coverage) }
    this.#set('coverage-90', {
      type: 'FeatureCollection',
      features: [{ type: 'Feature', properties: {}, geometry: lines }],
    })
    map.addLayer(
      {
        id: 'coverage-line',
        type: 'line',
        source: 'coverage-90',
        paint: { 'line-color': this.#ink, 'line-width': 1.2, 'line-opacity': 0.7 },
      },
      below,
    )
  }

  #dressEars(): void {
    this.map.addLayer({
      id: 'shot-lines',
      type: 'line',
      source: 'shot-lines',
      paint: { 'line-color': this.#ink, 'line-width': 1, 'line-opacity': 0.45 },
    })
    this.map.addLayer({
      id: 'shot-sensors',
      type: 'symbol',
      source: 'shot-sensors',
      layout: {
        'icon-image': ['concat', 'ear-', ['get', 'ear']],
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
        'icon-size': ['interpolate', ['linear'], ['zoom'], 10, 0.6, 14, 1],
      },
    })
  }

  #dressPlaces(): void {
    const [map, ink, ground] = [this.map, this.#ink, this.#ground]
    map.addLayer({
      id: 'shot-area',
      type: 'fill',
      source: 'shot-ellipses',
      filter: ['!=', ['get', 'edge'], 'back'],
      paint: { 'fill-color': ink, 'fill-opacity': ['case', ['get', 'selected'], 0.16, 0.07] },
    })
    for (const edge of ['sure', 'doubtful', 'back'] as const) {
      map.addLayer({
        id: `shot-edge-${edge}`,
        type: 'line',
        source: 'shot-ellipses',
        filter: ['==', ['get', 'edge'], edge],
        paint: {
          'line-color': ink,
          'line-width': edge === 'back' ? 0.8 : ['case', ['get', 'selected'], 2, 1],
          ...(edge === 'back' ? { 'line-opacity': 0.6 } : {}),
          ...(DASHES[edge] ? { 'line-dasharray': DASHES[edge] } : {}),
        },
      })
    }
    map.addLayer({
      id: 'shot-way',
      type: 'line',
      source: 'shot-rounds',
      filter: ['==', ['geometry-type'], 'LineString'],
      paint: { 'line-color': ink, 'line-width': 2.5, 'line-dasharray': [1, 1] },
    })
    map.addLayer({
      id: 'shot-round',
      type: 'circle',
      source: 'shot-rounds',
      filter: ['==', ['geometry-type'], 'Point'],
      paint: { 'circle-radius': 7, 'circle-color': ground, 'circle-stroke-color': ink, 'circle-stroke-width': 1.6 },
    })
    map.addLayer({
      id: 'shot-round-number',
      type: 'symbol',
      source: 'shot-rounds',
      filter: ['==', ['geometry-type'], 'Point'],
      layout: { 'text-field': ['get', 'says'], 'text-font': [FONT], 'text-size': 10, 'text-allow-overlap': true },
      paint: { 'text-color': ink },
    })
    map.addLayer({
      id: 'shot-mode',
      type: 'symbol',
      source: 'shot-modes',
      layout: {
        'text-field': ['get', 'says'],
        'text-font': [FONT],
        'text-size': 13,
        'text-anchor': 'top',
        'text-offset': [0, 0.6],
        'text-allow-overlap': true,
      },
      paint: { 'text-color': ink, 'text-halo-color': ground, 'text-halo-width': 2 },
    })
  }
}
