/**
 * The map itself: the library, our style, and the layers for incidents, alerts, readers, units.
 *
 * In: values to draw. Out: clicks on incidents, alerts and units. Never: a request to anywhere but this node.
 * Loaded late, so that the queue stands on the screen before a megabyte of map library.
 */

import {
  AttributionControl,
  type GeoJSONSource,
  LngLatBounds,
  Map as GlMap,
  NavigationControl,
  ScaleControl,
} from 'maplibre-gl'

import type { Alert, Device, Incident, Point } from '../wire/model'
import { openTiles } from './library'
import type { NationLand } from '../wire/federation'
import type { Coverage } from '../wire/model.shots'
import type { CameraRow } from '../wire/video'
import { CAMERA_LAYERS, CameraLayers } from './cameraLayers'
import { drawMarks } from './marks'
import { circle, toWorld } from './mercator'
import { meter } from './meter'
import { PartnerLayers, type PartnerScene } from './partnerLayers'
import type { Positions } from './positions'
import { ShotLayers, type ShotScene } from './shotLayers'
import { isSlow } from './slow'
import { mapStyle } from './style'
import { EVERY_SLOW_MS, type UnitLook, UnitsCanvas, type View } from './unitsCanvas'

const LABELS_MAX = 60 // unit call signs drawn at once; beyond that the dots alone
const LABELS_FROM_ZOOM = 12
const CLOSE_ZOOM = 14
const SHOT_ZOOM = 16 // an ellipse of ten metres is to be seen
const PICK_PX = 16
const HOLE_PX = [15, 19] // half of an alert's mark, half of an incident's
const TILE_PX = 512 // the world at zoom 0
const DARK_UNIT: UnitLook = { fill: [0.906, 0.929, 0.953], rim: [0.063, 0.082, 0.106] }
const LIGHT_UNIT: UnitLook = { fill: [0.078, 0.125, 0.173], rim: [1, 1, 1] }
const EMPTY: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] }

export interface MapEvents {
  onAlert: (alertId: string) => void
  onIncident: (incidentId: string) => void
  onUnit: (unit: string | null) => void
  onShot: (alertId: string) => void
  onSensor: (sensor: string) => void
  onCamera: (camera: string) => void
  onShared: (key: string) => void
  onPlace: (place: Point) => boolean // true: the click meant the place, not what stands there
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

function around(point: Point, metres: number): GeoJSON.FeatureCollection {
  const geometry: GeoJSON.Polygon = { type: 'Polygon', coordinates: [circle(point, metres)] }
  return {
    type: 'FeatureCollection',
    features: [{ type: 'Feature', properties: {}, geometry }],
  }
}

export class CityMap {
  readonly #map: GlMap
  readonly #units: UnitsCanvas
  readonly #shots: ShotLayers
  readonly #cameras: CameraLayers
  readonly #partners: PartnerLayers
  #alerts: GeoJSON.FeatureCollection = EMPTY
  #incidents: GeoJSON.FeatureCollection = EMPTY
  #doubt: GeoJSON.FeatureCollection = EMPTY
  #readers: GeoJSON.FeatureCollection = EMPTY
  #labels: HTMLElement[] = []
  #chosen: ReadonlySet<string> = new Set()
  #isLight: boolean
  #tiles: string | null

  private constructor(
    private readonly box: HTMLElement,
    private readonly labelBox: HTMLElement,
    private readonly events: MapEvents,
    private readonly positions: Positions,
    now: () => number,
    isLight: boolean,
    tiles: string | null,
    home: LngLatBounds | null,
    texts: Record<string, string>,
  ) {
    this.#isLight = isLight
    this.#tiles = tiles
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
    this.#shots = new ShotLayers(this.#map, isLight)
    this.#cameras = new CameraLayers(this.#map, isLight)
    this.#partners = new PartnerLayers(this.#map, isLight)
    this.#map.touchZoomRotate.disableRotation()
    this.#map.keyboard.disableRotation() // north is up, and the units count on it
    const [above, look] = [this.#map.getCanvasContainer(), isLight ? LIGHT_UNIT : DARK_UNIT]
    this.#units = new UnitsCanvas(above, look, positions, now, () => this.#view())
    if (isSlow()) this.#units.everyMs = EVERY_SLOW_MS
    this.#map.addControl(new NavigationControl({ showCompass: false }), 'bottom-right')
    this.#map.addControl(new ScaleControl({ unit: 'imperial' }), 'bottom-left')
    this.#map.addControl(new AttributionControl({ compact: true }), 'bottom-left')
    this.#map.on('style.load', () => this.#dress())
    this.#map.once('idle', () => events.onReady())
    this.#map.on('render', () => {
      this.#units.draw()
      this.#placeLabels()
    })
    this.#map.on('webglcontextlost', () => events.onLost(true))
    this.#map.on('webglcontextrestored', () => events.onLost(false))
    this.#listen()
  }

  /** Opens a map; asks the tiles' own header where home is. */
  static async open(
    box: HTMLElement,
    labelBox: HTMLElement,
    events: MapEvents,
    positions: Positions,
    now: () => number,
    isLight: boolean,
    tiles: string | null,
    texts: Record<string, string>,
  ): Promise<CityMap> {
    const { key, home } = await openTiles(tiles)
    return new CityMap(box, labelBox, events, positions, now, isLight, key, home, texts)
  }

  get hasStreets(): boolean {
    return this.#tiles !== null
  }

  close(): void {
    this.#units.close()
    this.#cameras.close()
    this.#map.remove()
  }

  relook(isLight: boolean): void {
    if (isLight === this.#isLight) return
    this.#isLight = isLight
    this.#shots.relook(isLight)
    this.#cameras.relook(isLight)
    this.#partners.relook(isLight)
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

  showIncidents(incidents: readonly Incident[], selectedId: string | null): void {
    const features = incidents.flatMap((incident) => {
      if (!incident.place) return []
      const { incident_id: id, level } = incident
      return [feature(incident.place, { id, level, selected: id === selectedId })]
    })
    this.#incidents = { type: 'FeatureCollection', features }
    this.#source('incidents')?.setData(this.#incidents)
    const chosen = incidents.find((i) => i.incident_id === selectedId)
    this.#doubt = chosen?.place && chosen.within_m ? around(chosen.place, chosen.within_m) : EMPTY
    this.#source('doubt')?.setData(this.#doubt)
  }

  showShots(scene: ShotScene): void {
    this.#shots.show(scene)
  }

  showCameras(cameras: ReadonlyMap<string, CameraRow>, picked: string | null, isUrgent: boolean): void {
    this.#cameras.show(cameras, picked, isUrgent)
  }

  showShared(scene: PartnerScene): void {
    this.#partners.show(scene)
  }

  showLands(lands: readonly NationLand[]): void {
    this.#partners.showLands(lands)
  }

  /** The units of what is selected, and the one that was clicked. */
  choose(chosen: ReadonlySet<string>): void {
    this.#chosen = chosen
    this.#units.choose(chosen)
  }

  unitsMoved(): void {
    this.#units.wake()
    this.#placeLabels()
  }

  #view(): View {
    const { lat, lng } = this.#map.getCenter()
    const holes = [this.#alerts, this.#incidents].flatMap((marks, i) =>
      marks.features.map((mark) => {
        const [lon, north] = (mark.geometry as GeoJSON.Point).coordinates as [number, number]
        return { ...this.#map.project([lon, north]), radius: HOLE_PX[i] ?? 0 }
      }),
    )
    return { centre: { lat, lon: lng }, zoom: this.#map.getZoom(), holes }
  }

  /** All of the gunshot coverage. */
  goToCoverage({ west, south, east, north }: Coverage): void {
    this.#map.fitBounds([west, south, east, north], { padding: 40, duration: 0 })
  }

  /** A shot and all places that explain it, as near as they fit. */
  goToShot(places: readonly Point[]): void {
    const [first] = places
    if (!first) return
    const bounds = places.reduce((b, p) => b.extend(at(p)), new LngLatBounds(at(first), at(first)))
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches
    this.#map.fitBounds(bounds, { padding: 90, maxZoom: SHOT_ZOOM, duration: still ? 0 : 500 })
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
    const points = [
      ...this.#alerts.features,
      ...this.#incidents.features,
      ...this.#shots.pins.features,
      ...this.#readers.features,
      ...this.#partners.marks.features,
    ].map((f) => (f.geometry as GeoJSON.Point).coordinates as [number, number])
    const units = this.positions.extent()
    if (units) points.push([units[0], units[1]], [units[2], units[3]])
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
    map.addSource('incidents', { type: 'geojson', data: this.#incidents })
    map.addSource('doubt', { type: 'geojson', data: this.#doubt })
    this.#partners.dressBelow()
    this.#dressDoubt()
    this.#shots.dressBelow()
    this.#cameras.dress()
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
    this.#partners.dressAbove()
    map.addLayer({
      id: 'incidents',
      type: 'symbol',
      source: 'incidents',
      layout: {
        'icon-image': ['concat', 'incident-', ['to-string', ['get', 'level']]],
        'icon-allow-overlap': true,
        'symbol-sort-key': ['-', ['get', 'level']],
      },
    })
    for (const source of ['incidents', 'alerts']) {
      map.addLayer({
        id: `selected-${source}`,
        type: 'symbol',
        source,
        filter: ['get', 'selected'],
        layout: { 'icon-image': 'selected-ring', 'icon-allow-overlap': true },
      })
    }
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
    this.#shots.dressAbove()
  }

  /** The selected incident's own doubt: it lies somewhere in here. */
  #dressDoubt(): void {
    const ink = this.#isLight ? '#14202c' : '#e7edf3'
    this.#map.addLayer({
      id: 'doubt-area',
      type: 'fill',
      source: 'doubt',
      paint: { 'fill-color': ink, 'fill-opacity': 0.08 },
    })
    this.#map.addLayer({
      id: 'doubt-edge',
      type: 'line',
      source: 'doubt',
      paint: { 'line-color': ink, 'line-width': 1.4, 'line-dasharray': [3, 2] },
    })
  }

  #listen(): void {
    const map = this.#map
    map.on('click', (event) => {
      if (this.events.onPlace({ lat: event.lngLat.lat, lon: event.lngLat.lng })) return
      const all = ['shots', 'alerts', 'incidents', 'shared', 'shared-units', 'shot-sensors', ...CAMERA_LAYERS]
      const layers = all.filter((id) => map.getLayer(id))
      const [mark] = map.queryRenderedFeatures(event.point, { layers })
      const id = mark?.properties['id'] as string | undefined
      if (mark?.layer.id === 'camera-bundles') {
        const { coordinates } = mark.geometry as GeoJSON.Point
        void this.#cameras.unfold(Number(mark.properties['cluster_id']), coordinates as [number, number])
        return
      }
      if (id) this.#clicked(mark!.layer.id, id)
      else this.events.onUnit(this.#unitAt({ lat: event.lngLat.lat, lon: event.lngLat.lng }))
    })
    for (const layer of ['shots', 'shot-sensors', 'alerts', 'incidents', 'shared', 'shared-units', 'readers', ...CAMERA_LAYERS]) {
      map.on('mouseenter', layer, () => (map.getCanvas().style.cursor = 'pointer'))
      map.on('mouseleave', layer, () => (map.getCanvas().style.cursor = ''))
    }
    for (const layer of ['readers', 'shot-sensors', 'cameras']) {
      map.on('mousemove', layer, (event) => {
        const name = event.features?.[0]?.properties['name'] as string | undefined
        this.events.onReader(name ?? null, event.point.x, event.point.y)
      })
      map.on('mouseleave', layer, () => this.events.onReader(null, 0, 0))
    }
  }

  #clicked(layer: string, id: string): void {
    if (layer === 'shots') this.events.onShot(id)
    else if (layer === 'alerts') this.events.onAlert(id)
    else if (layer === 'shot-sensors') this.events.onSensor(id)
    else if (layer === 'cameras') this.events.onCamera(id)
    else if (layer.startsWith('shared')) this.events.onShared(id)
    else this.events.onIncident(id)
  }

  #unitAt(point: Point): string | null {
    return this.positions.pick(toWorld(point), PICK_PX / (TILE_PX * 2 ** this.#map.getZoom()))
  }

  /** Call signs beside the dots, as text of the page: few, cheap, and never over an alert. */
  #placeLabels(): void {
    const began = performance.now()
    let used = 0
    for (const unit of this.#labelled()) {
      const { x, y } = this.#map.project(at(unit.place!))
      const label = (this.#labels[used] ??= this.#newLabel())
      if (label.textContent !== unit.unit) label.textContent = unit.unit
      label.style.transform = `translate(${Math.round(x + 10)}px, ${Math.round(y - 10)}px)`
      label.hidden = false
      label.classList.toggle('assigned', this.#chosen.has(unit.unit))
      used += 1
    }
    for (const label of this.#labels.slice(used)) label.hidden = true
    meter.paintMs += performance.now() - began
  }

  /** The chosen ones always; from near also those in view, unless there are too many to read. */
  #labelled() {
    const chosen = [...this.#chosen].flatMap((name) => this.positions.get(name) ?? [])
    const named = chosen.filter((unit) => unit.place)
    if (this.#map.getZoom() < LABELS_FROM_ZOOM) return named
    const bounds = this.#map.getBounds()
    const [nw, se] = [bounds.getNorthWest(), bounds.getSouthEast()]
    const [from, to] = [toWorld({ lat: nw.lat, lon: nw.lng }), toWorld({ lat: se.lat, lon: se.lng })]
    const view = { west: from.x, north: from.y, east: to.x, south: to.y }
    const inView = this.positions.within(view, LABELS_MAX + 1)
    if (inView.length > LABELS_MAX) return named
    return [...named, ...inView.filter((unit) => !this.#chosen.has(unit.unit))]
  }

  #newLabel(): HTMLElement {
    const label = document.createElement('span')
    label.className = 'unit-label'
    this.labelBox.append(label)
    return label
  }
}
