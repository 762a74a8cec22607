/** The map's layers for cameras: a mark each, bundled from afar, and from near what they take in. */

import type { GeoJSONSource, Map as GlMap } from 'maplibre-gl'

import { cameraPoints, cameraViews } from '../video/cameraShapes'
import type { CameraRow } from '../wire/video'

const EMPTY: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] }
const BUNDLED_UNTIL_ZOOM = 12
const VIEWS_FROM_ZOOM = 15
const TOLD_EVERY_MS = 5_000 // thousands of cameras are laid out anew on each change
const FONT = ['system-ui', 'DejaVu Sans', 'sans-serif'].join(', ')

export const CAMERA_LAYERS = ['cameras', 'camera-bundles'] as const

export class CameraLayers {
  #points: GeoJSON.FeatureCollection = EMPTY
  #views: GeoJSON.FeatureCollection = EMPTY
  #toldAt = -Infinity
  #later: ReturnType<typeof setTimeout> | undefined
  #count = 0
  #isLight: boolean

  constructor(
    private readonly map: GlMap,
    isLight: boolean,
  ) {
    this.#isLight = isLight
  }

  relook(isLight: boolean): void {
    this.#isLight = isLight
  }

  close(): void {
    clearTimeout(this.#later)
  }

  /** None where the layer is off. A change of states alone is drawn every few seconds. */
  show(cameras: ReadonlyMap<string, CameraRow>, picked: string | null, isUrgent: boolean): void {
    clearTimeout(this.#later)
    const wait = this.#toldAt + TOLD_EVERY_MS - performance.now()
    if (!isUrgent && cameras.size === this.#count && wait > 0) {
      this.#later = setTimeout(() => this.#tell(cameras, picked), wait)
    } else this.#tell(cameras, picked)
  }

  #tell(cameras: ReadonlyMap<string, CameraRow>, picked: string | null): void {
    this.#toldAt = performance.now()
    this.#count = cameras.size
    this.#points = cameraPoints(cameras.values(), picked)
    this.#views = cameraViews(cameras.values())
    this.map.getSource<GeoJSONSource>('cameras')?.setData(this.#points)
    this.map.getSource<GeoJSONSource>('camera-views')?.setData(this.#views)
  }

  /** After each change of style, below the alerts' marks. */
  dress(): void {
    const { map } = this
    const ink = this.#isLight ? '#14202c' : '#e7edf3'
    const ground = this.#isLight ? '#ffffff' : '#10151b'
    map.addSource('camera-views', { type: 'geojson', data: this.#views })
    map.addSource('cameras', {
      type: 'geojson',
      data: this.#points,
      cluster: true,
      clusterMaxZoom: BUNDLED_UNTIL_ZOOM,
      clusterRadius: 44,
    })
    map.addLayer({
      id: 'camera-views',
      type: 'fill',
      source: 'camera-views',
      minzoom: VIEWS_FROM_ZOOM,
      paint: { 'fill-color': ink, 'fill-opacity': ['case', ['get', 'shut'], 0.04, 0.12] },
    })
    map.addLayer({
      id: 'camera-bundles',
      type: 'symbol',
      source: 'cameras',
      filter: ['has', 'point_count'],
      layout: {
        'icon-image': 'camera-bundle',
        'icon-allow-overlap': true,
        'text-field': ['get', 'point_count_abbreviated'],
        'text-font': [FONT],
        'text-size': 11,
        'text-allow-overlap': true,
      },
      paint: { 'text-color': ink, 'text-halo-color': ground, 'text-halo-width': 0.5 },
    })
    map.addLayer({
      id: 'cameras',
      type: 'symbol',
      source: 'cameras',
      filter: ['!', ['has', 'point_count']],
      layout: {
        'icon-image': ['get', 'mark'],
        'icon-rotate': ['get', 'turn'],
        'icon-rotation-alignment': 'map',
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
        'icon-size': ['case', ['get', 'picked'], 1.5, 1],
      },
    })
  }

  /** From a bundle to what it holds. */
  async unfold(bundle: number, at: [number, number]): Promise<void> {
    const zoom = await this.map.getSource<GeoJSONSource>('cameras')?.getClusterExpansionZoom(bundle)
    if (zoom !== undefined) this.map.easeTo({ center: at, zoom: Math.min(zoom, 18), duration: 300 })
  }
}
