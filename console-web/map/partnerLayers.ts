/** The map's layers for what partners share, and for the land where a nation's own law holds. */

import type { GeoJSONSource, Map as GlMap } from 'maplibre-gl'

import { levelOf } from '../shared/words'
import type { NationLand, SharedItem } from '../wire/federation'
import { keyOf } from '../wire/shared'

const EMPTY: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] }
const FONT = ['system-ui', 'DejaVu Sans', 'sans-serif'].join(', ')
const INKS = {
  dark: { land: '#5b4a80', edge: '#a992e0', text: '#e7edf3', halo: '#10151b' },
  light: { land: '#b9a8dd', edge: '#6d52ad', text: '#14202c', halo: '#ffffff' },
}
const OWNER_FROM_ZOOM = 11 // whose it is, beside the mark; farther out the shape says "a partner's"

export interface PartnerScene {
  items: readonly SharedItem[] // with a place, not recalled
  units: readonly SharedItem[]
  selected: string | null
}

export class PartnerLayers {
  #lands: GeoJSON.FeatureCollection = EMPTY
  #marks: GeoJSON.FeatureCollection = EMPTY
  #units: GeoJSON.FeatureCollection = EMPTY
  #isLight: boolean

  constructor(
    private readonly map: GlMap,
    isLight: boolean,
  ) {
    this.#isLight = isLight
  }

  get marks(): GeoJSON.FeatureCollection {
    return this.#marks
  }

  relook(isLight: boolean): void {
    this.#isLight = isLight
  }

  showLands(lands: readonly NationLand[]): void {
    this.#lands = { type: 'FeatureCollection', features: lands.flatMap(landShapes) }
    this.#source('nation-lands')?.setData(this.#lands)
  }

  show({ items, units, selected }: PartnerScene): void {
    this.#marks = pointsOf(items, selected)
    this.#units = pointsOf(units, selected)
    this.#source('shared')?.setData(this.#marks)
    this.#source('shared-units')?.setData(this.#units)
  }

  #source(id: string): GeoJSONSource | undefined {
    return this.map.getSource(id)
  }

  /** Below every mark; called after each change of style. */
  dressBelow(): void {
    const { map } = this
    const ink = this.#isLight ? INKS.light : INKS.dark
    map.addSource('nation-lands', { type: 'geojson', data: this.#lands })
    map.addSource('shared', { type: 'geojson', data: this.#marks })
    map.addSource('shared-units', { type: 'geojson', data: this.#units })
    const streets = map.getStyle().layers.find((layer) => layer.type === 'symbol' || layer.id.startsWith('casing-'))?.id
    map.addLayer(
      { id: 'nation-area', type: 'fill', source: 'nation-lands', filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': ink.land, 'fill-opacity': 0.2 } },
      streets,
    )
    map.addLayer({
      id: 'nation-edge',
      type: 'line',
      source: 'nation-lands',
      filter: ['==', ['geometry-type'], 'Polygon'],
      paint: { 'line-color': ink.edge, 'line-width': 1.8, 'line-dasharray': [4, 2] },
    })
    map.addLayer({
      id: 'nation-name',
      type: 'symbol',
      source: 'nation-lands',
      filter: ['==', ['geometry-type'], 'Point'],
      layout: { 'text-field': ['get', 'name'], 'text-font': [FONT], 'text-size': 13, 'text-letter-spacing': 0.04, 'text-max-width': 9 },
      paint: { 'text-color': ink.edge, 'text-halo-color': ink.halo, 'text-halo-width': 1.6 },
    })
  }

  dressAbove(): void {
    const ink = this.#isLight ? INKS.light : INKS.dark
    const paint = { 'text-color': ink.text, 'text-halo-color': ink.halo, 'text-halo-width': 1.6 }
    this.map.addLayer({
      id: 'shared-units',
      type: 'symbol',
      source: 'shared-units',
      layout: {
        'icon-image': 'shared-unit',
        'icon-allow-overlap': true,
        'text-field': ['step', ['zoom'], '', OWNER_FROM_ZOOM, ['get', 'title']],
        'text-font': [FONT],
        'text-size': 11,
        'text-anchor': 'left',
        'text-offset': [0.9, -0.6],
        'text-optional': true,
      },
      paint,
    })
    this.map.addLayer({
      id: 'selected-shared',
      type: 'symbol',
      source: 'shared',
      filter: ['get', 'selected'],
      layout: { 'icon-image': 'selected-ring', 'icon-allow-overlap': true },
    })
    this.map.addLayer({
      id: 'shared',
      type: 'symbol',
      source: 'shared',
      layout: {
        'icon-image': ['concat', 'shared-', ['to-string', ['get', 'level']]],
        'icon-allow-overlap': true,
        'text-field': ['step', ['zoom'], '', OWNER_FROM_ZOOM, ['get', 'owner']],
        'text-font': [FONT],
        'text-size': 11,
        'text-anchor': 'top',
        'text-offset': [0, 1.5],
        'text-optional': true,
        'symbol-sort-key': ['-', ['get', 'level']],
      },
      paint,
    })
  }
}

function pointsOf(items: readonly SharedItem[], selected: string | null): GeoJSON.FeatureCollection {
  const features = items.flatMap((item): GeoJSON.Feature[] => {
    if (item.lat == null || item.lon == null) return []
    const id = keyOf(item)
    return [
      {
        type: 'Feature',
        properties: { id, level: levelOf(item), owner: item.grantor_name, title: item.title ?? '', selected: id === selected },
        geometry: { type: 'Point', coordinates: [item.lon, item.lat] },
      },
    ]
  })
  return { type: 'FeatureCollection', features }
}

/** Each ring as an area, and one name in the middle of the largest. */
export function landShapes(land: NationLand): GeoJSON.Feature[] {
  const rings = land.rings.map((ring) => ring.map((p): [number, number] => [p.lon, p.lat])).filter((r) => r.length >= 3)
  const areas = rings.map((ring): GeoJSON.Feature => {
    const [first] = ring
    return { type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [[...ring, first!]] } }
  })
  const largest = rings.reduce<[number, number][] | null>((best, ring) => (!best || extent(ring) > extent(best) ? ring : best), null)
  if (!largest) return []
  const middle: [number, number] = [mean(largest.map((c) => c[0])), mean(largest.map((c) => c[1]))]
  return [...areas, { type: 'Feature', properties: { name: land.name }, geometry: { type: 'Point', coordinates: middle } }]
}

const mean = (values: readonly number[]) => (Math.min(...values) + Math.max(...values)) / 2

function extent(ring: readonly [number, number][]): number {
  const [lons, lats] = [ring.map((c) => c[0]), ring.map((c) => c[1])]
  return (Math.max(...lons) - Math.min(...lons)) * (Math.max(...lats) - Math.min(...lats))
}
