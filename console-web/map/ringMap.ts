/** A small map on which a person sets the corners of a zone. Loaded late, like the large one. */

import { type GeoJSONSource, Map as GlMap, NavigationControl } from 'maplibre-gl'

import type { Point } from '../wire/model'
import { openTiles } from './library'
import { mapStyle } from './style'

export interface RingMap {
  show: (corners: readonly Point[]) => void
  relook: (isLight: boolean) => void
  close: () => void
}

const INK = { dark: '#e7edf3', light: '#14202c' }

function shapes(corners: readonly Point[]): GeoJSON.FeatureCollection {
  const places = corners.map((c): [number, number] => [c.lon, c.lat])
  const features: GeoJSON.Feature[] = places.map((at) => ({
    type: 'Feature',
    properties: {},
    geometry: { type: 'Point', coordinates: at },
  }))
  if (places.length >= 2) {
    const ring = [...places, places[0]!]
    const geometry: GeoJSON.Geometry =
      places.length >= 3 ? { type: 'Polygon', coordinates: [ring] } : { type: 'LineString', coordinates: places }
    features.push({ type: 'Feature', properties: {}, geometry })
  }
  return { type: 'FeatureCollection', features }
}

export async function openRingMap(
  box: HTMLElement,
  tiles: string | null,
  isLight: boolean,
  label: string,
  onCorner: (place: Point) => void,
): Promise<RingMap> {
  const { key, home } = await openTiles(tiles)
  const map = new GlMap({
    container: box,
    style: mapStyle(isLight, key),
    ...(home ? { bounds: home } : {}),
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    maxPitch: 0,
    locale: { 'Map.Title': label },
    fadeDuration: 0,
  })
  map.touchZoomRotate.disableRotation()
  map.addControl(new NavigationControl({ showCompass: false }), 'bottom-right')
  if (home) map.setZoom(map.getZoom() + 1) // the streets lie in the middle of what the tiles hold
  let drawn = shapes([])
  let light = isLight
  map.on('style.load', () => {
    const ink = light ? INK.light : INK.dark
    map.addSource('ring', { type: 'geojson', data: drawn })
    map.addLayer({ id: 'ring-area', type: 'fill', source: 'ring', filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': ink, 'fill-opacity': 0.14 } })
    map.addLayer({ id: 'ring-edge', type: 'line', source: 'ring', filter: ['!=', ['geometry-type'], 'Point'], paint: { 'line-color': ink, 'line-width': 2 } })
    map.addLayer({ id: 'ring-corners', type: 'circle', source: 'ring', filter: ['==', ['geometry-type'], 'Point'], paint: { 'circle-radius': 5, 'circle-color': ink } })
  })
  map.on('click', ({ lngLat }) => onCorner({ lat: lngLat.lat, lon: lngLat.lng }))
  return {
    show: (corners) => {
      drawn = shapes(corners)
      map.getSource<GeoJSONSource>('ring')?.setData(drawn)
    },
    relook: (next) => {
      light = next
      map.setStyle(mapStyle(next, key), { diff: false })
    },
    close: () => map.remove(),
  }
}
