/**
 * The map itself: the library, our style, and the layers for alerts, readers and units.
 *
 * In: values to draw. Out: clicks on alerts. Never: a request to anywhere but this node.
 * Loaded late, so that the queue stands on the screen before a megabyte of map library.
 */

import 'maplibre-gl/dist/maplibre-gl.css'

import {
  addProtocol,
  AttributionControl,
  type GeoJSONSource,
  LngLatBounds,
  Map as GlMap,
  NavigationControl,
  ScaleControl,
  setWorkerUrl,
} from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'
import { PMTiles, Protocol } from 'pmtiles'

import type { Alert, Device, Point, Unit } from '../wire/model'
import { drawMarks } from './marks'
import { mapStyle } from './style'
import { UnitsLayer, type UnitLook } from './unitsLayer'

setWorkerUrl(workerUrl)
const protocol = new Protocol()
addProtocol('pmtiles', protocol.tile)

const LABELS_MAX = 60 // unit call signs drawn at once; beyond that the dots alone
const LABELS_FROM_ZOOM = 12
const CLOSE_ZOOM = 14
const DARK_UNIT: UnitLook = { fill: [0.906, 0.929, 0.953], rim: [0.063, 0.082, 0.106] }
const LIGHT_UNIT: UnitLook = { fill: [0.078, 0.125, 0.173], rim: [1, 1, 1] }
const EMPTY: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] }

export interface MapEvents {
  onAlert: (alertId: string) => void
  onReader: (name: string | null, x: number, y: number) => void
  onReady: () => void
  onLost: (lost: boolean) => void
}

function at(point: Point): [number, number] {
  return [point.lon, point.lat]
}

function feature(point: Point, properties: GeoJSON.GeoJsonProperties): GeoJSON.Feature {
  return { type: 'Feature', properties, geometry: { type: 'Point', coordinates: at(point) } }
}

export class CityMap {
  readonly #map: GlMap
  readonly #units: UnitsLayer
  #alerts: GeoJSON.FeatureCollection = EMPTY
  #readers: GeoJSON.FeatureCollection = EMPTY
  #seen: readonly Unit[] = []
  #labels: HTMLElement[] = []
  #assigned: string | null = null
  #isLight: boolean
  #tiles: string | null

  private constructor(
    private readonly box: HTMLElement,
    private readonly labelBox: HTMLElement,
    private readonly events: MapEvents,
    isLight: boolean,
    tiles: string | null,
    home: LngLatBounds | null,
    texts: Record<string, string>,
  ) {
    this.#isLight = isLight
    this.#tiles = tiles
    this.#units = new UnitsLayer(isLight ? LIGHT_UNIT : DARK_UNIT)
    this.#map = new GlMap({
      container: box,
      style: mapStyle(isLight, tiles),
      ...(home ? { bounds: home, fitBoundsOptions: { padding: 20 } } : {}),
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      maxPitch: 0,
      locale: texts,
      fadeDuration: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 150,
    })
    this.#map.touchZoomRotate.disableRotation()
    this.#map.addControl(new NavigationControl({ showCompass: false }), 'bottom-right')
    this.#map.addControl(new ScaleControl({ unit: 'imperial' }), 'bottom-left')
    this.#map.addControl(new AttributionControl({ compact: true }), 'bottom-left')
    this.#map.on('style.load', () => this.#dress())
    this.#map.once('idle', () => events.onReady())
    this.#map.on('render', () => this.#placeLabels())
    this.#map.on('webglcontextlost', () => events.onLost(true))
    this.#map.on('webglcontextrestored', () => events.onLost(false))
    this.#listen()
  }

  /** Opens a map; asks the tiles' own header where home is. */
  static async open(
    box: HTMLElement,
    labelBox: HTMLElement,
    events: MapEvents,
    isLight: boolean,
    tiles: string | null,
    texts: Record<string, string>,
  ): Promise<CityMap> {
    let home: LngLatBounds | null = null
    let found = tiles
    if (tiles) {
      const archive = new PMTiles(new URL(tiles, location.href).href)
      try {
        const header = await archive.getHeader()
        home = new LngLatBounds([header.minLon, header.minLat, header.maxLon, header.maxLat])
        protocol.add(archive)
        found = archive.source.getKey()
      } catch {
        found = null
      }
    }
    return new CityMap(box, labelBox, events, isLight, found, home, texts)
  }

  get hasStreets(): boolean {
    return this.#tiles !== null
  }

  close(): void {
    this.#map.remove()
  }

  relook(isLight: boolean): void {
    if (isLight === this.#isLight) return
    this.#isLight = isLight
    this.#units.recolour(isLight ? LIGHT_UNIT : DARK_UNIT)
    this.#map.setStyle(mapStyle(isLight, this.#tiles), { diff: false })
  }

  showAlerts(alerts: readonly Alert[], selectedId: string | null): void {
    const features = alerts.flatMap((alert) => {
      const place = (alert.last_seen ?? alert.match.read).place
      if (!place) return []
      const selected = alert.alert_id === selectedId
      return [feature(place, { id: alert.alert_id, level: alert.level, selected })]
    })
    this.#alerts = { type: 'FeatureCollection', features }
    this.#source('alerts')?.setData(this.#alerts)
  }

  showReaders(readers: readonly Device[]): void {
    const features = readers.flatMap((r) =>
      r.place
        ? [feature(r.place, { name: r.name, faces: r.heading_deg != null, turn: r.heading_deg ?? 0 })]
        : [],
    )
    this.#readers = { type: 'FeatureCollection', features }
    this.#source('readers')?.setData(this.#readers)
  }

  showUnits(units: readonly Unit[], assigned: string | null, now: number): void {
    this.#seen = units.filter((u) => u.place)
    this.#assigned = assigned
    this.#units.set(this.#seen, assigned, now)
  }

  /** Brings a place into view; moves only where it is not already well inside. */
  goTo(point: Point): void {
    const { x, y } = this.#map.project(at(point))
    const { clientWidth: w, clientHeight: h } = this.box
    const inside = x > w * 0.15 && x < w * 0.85 && y > h * 0.15 && y < h * 0.85
    if (inside && this.#map.getZoom() >= CLOSE_ZOOM - 1.5) return
    const zoom = Math.max(this.#map.getZoom(), CLOSE_ZOOM)
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches
    if (still) this.#map.jumpTo({ center: at(point), zoom })
    else this.#map.easeTo({ center: at(point), zoom, duration: 500 })
  }

  fit(): void {
    const points = [...this.#alerts.features, ...this.#readers.features]
      .map((f) => (f.geometry as GeoJSON.Point).coordinates as [number, number])
      .concat(this.#seen.map((u) => at(u.place!)))
    const first = points[0]
    if (!first) return
    const bounds = points.reduce((b, p) => b.extend(p), new LngLatBounds(first, first))
    this.#map.fitBounds(bounds, { padding: 60, maxZoom: 15, duration: 0 })
  }

  #source(id: string): GeoJSONSource | undefined {
    return this.#map.getSource(id)
  }

  /** Our own layers, laid on after each change of style. */
  #dress(): void {
    const map = this.#map
    for (const mark of drawMarks()) {
      if (map.hasImage(mark.name)) map.removeImage(mark.name)
      map.addImage(mark.name, mark.data, { pixelRatio: mark.ratio })
    }
    map.addSource('readers', { type: 'geojson', data: this.#readers })
    map.addSource('alerts', { type: 'geojson', data: this.#alerts })
    map.addLayer({
      id: 'readers',
      type: 'symbol',
      source: 'readers',
      layout: {
        'icon-image': ['case', ['get', 'faces'], 'reader-facing', 'reader'],
        'icon-rotate': ['get', 'turn'],
        'icon-rotation-alignment': 'map',
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
        'icon-size': ['interpolate', ['linear'], ['zoom'], 9, 0.5, 13, 1, 16, 1.4],
      },
    })
    map.addLayer(this.#units)
    map.addLayer({
      id: 'selected',
      type: 'symbol',
      source: 'alerts',
      filter: ['get', 'selected'],
      layout: { 'icon-image': 'selected-ring', 'icon-allow-overlap': true },
    })
    map.addLayer({
      id: 'alerts',
      type: 'symbol',
      source: 'alerts',
      layout: {
        'icon-image': ['concat', 'alert-', ['to-string', ['get', 'level']]],
        'icon-allow-overlap': true,
        'symbol-sort-key': ['-', ['get', 'level']],
      },
    })
  }

  #listen(): void {
    const map = this.#map
    map.on('click', 'alerts', (event) => {
      const id = event.features?.[0]?.properties['id'] as string | undefined
      if (id) this.events.onAlert(id)
    })
    for (const layer of ['alerts', 'readers']) {
      map.on('mouseenter', layer, () => (map.getCanvas().style.cursor = 'pointer'))
      map.on('mouseleave', layer, () => (map.getCanvas().style.cursor = ''))
    }
    map.on('mousemove', 'readers', (event) => {
      const name = event.features?.[0]?.properties['name'] as string | undefined
      this.events.onReader(name ?? null, event.point.x, event.point.y)
    })
    map.on('mouseleave', 'readers', () => this.events.onReader(null, 0, 0))
  }

  /** Call signs beside the dots, as text of the page: few, cheap, and never over an alert. */
  #placeLabels(): void {
    const { clientWidth: w, clientHeight: h } = this.box
    const near = this.#map.getZoom() >= LABELS_FROM_ZOOM
    let used = 0
    for (const unit of this.#seen) {
      if (used >= LABELS_MAX) break
      if (!near && unit.unit_id !== this.#assigned) continue
      const { x, y } = this.#map.project(at(unit.place!))
      if (x < 0 || y < 0 || x > w || y > h) continue
      const label = (this.#labels[used] ??= this.#newLabel())
      if (label.textContent !== unit.unit_id) label.textContent = unit.unit_id
      label.style.transform = `translate(${Math.round(x + 9)}px, ${Math.round(y - 9)}px)`
      label.hidden = false
      label.classList.toggle('assigned', unit.unit_id === this.#assigned)
      used += 1
    }
    for (const label of this.#labels.slice(used)) label.hidden = true
  }

  #newLabel(): HTMLElement {
    const label = document.createElement('span')
    label.className = 'unit-label'
    this.labelBox.append(label)
    return label
  }
}
