/** A small map of where plates were read, with numbers in the order of time. Loaded late. */

import { type GeoJSONSource, LngLatBounds, Map as GlMap, Marker, NavigationControl } from 'maplibre-gl'

import type { Point } from '../wire/model'
import { openTiles } from './library'
import { circle } from './mercator'
import { mapStyle } from './style'

export const MARKS_MAX = 200 // the newest; beyond that the table alone

export interface ReadMark {
  id: string
  place: Point
  label: string
  alike: boolean
}

/** The circle that was asked about. */
export interface Area {
  place: Point
  radiusM: number
}

export interface ReadsMap {
  show: (marks: readonly ReadMark[], area: Area | null) => void
  pick: (id: string | null) => void
  relook: (isLight: boolean) => void
  close: () => void
}

const INK = { light: '#14202c', dark: '#e7edf3' }

const ring = (area: Area | null): [number, number][] => (area ? circle(area.place, area.radiusM) : [])

function ground(area: Area | null): GeoJSON.FeatureCollection {
  const polygon: GeoJSON.Polygon = { type: 'Polygon', coordinates: [ring(area)] }
  return { type: 'FeatureCollection', features: area ? [{ type: 'Feature', properties: {}, geometry: polygon }] : [] }
}

export async function openReadsMap(
  box: HTMLElement,
  tiles: string | null,
  isLight: boolean,
  label: string,
  onPick: (id: string) => void,
  onGround: ((place: Point) => void) | null,
): Promise<ReadsMap> {
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
  let markers = new Map<string, Marker>()
  let light = isLight
  let drawn = ground(null)
  map.on('style.load', () => {
    map.addSource('area', { type: 'geojson', data: drawn })
    const ink = INK[light ? 'light' : 'dark']
    map.addLayer({ id: 'area', type: 'fill', source: 'area', paint: { 'fill-color': ink, 'fill-opacity': 0.12 } })
    map.addLayer({ id: 'area-edge', type: 'line', source: 'area', paint: { 'line-color': ink, 'line-width': 2 } })
  })
  if (onGround) {
    if (home) map.setZoom(map.getZoom() + 1) // the streets lie in the middle of what the tiles hold
    map.getCanvas().style.cursor = 'crosshair'
    map.on('click', ({ lngLat }) => onGround({ lat: lngLat.lat, lon: lngLat.lng }))
  }

  /** Older ones lie below newer ones. The table has a button for each; these are for the pointer. */
  function markOf(mark: ReadMark, under: number): Marker {
    const element = document.createElement('div')
    element.className = mark.alike ? 'read-mark alike' : 'read-mark'
    element.textContent = mark.label
    element.style.zIndex = String(under)
    element.addEventListener('click', (event) => {
      event.stopPropagation() // it is the read that is meant, not the ground below it
      onPick(mark.id)
    })
    const marker = new Marker({ element }).setLngLat([mark.place.lon, mark.place.lat]).addTo(map)
    for (const name of ['role', 'aria-label', 'tabindex']) element.removeAttribute(name)
    element.setAttribute('aria-hidden', 'true')
    return marker
  }

  return {
    show: (marks, area) => {
      drawn = ground(area)
      map.getSource<GeoJSONSource>('area')?.setData(drawn)
      for (const marker of markers.values()) marker.remove()
      const shown = marks.slice(0, MARKS_MAX)
      markers = new Map(shown.map((mark, i) => [mark.id, markOf(mark, shown.length - i)]))
      const places = [...shown.map((m): [number, number] => [m.place.lon, m.place.lat]), ...ring(area)]
      const [first] = places
      if (!first) return
      const bounds = places.reduce((b, at) => b.extend(at), new LngLatBounds(first, first))
      map.fitBounds(bounds, { padding: area ? 40 : 60, maxZoom: area ? 18 : 15, duration: 0 })
    },
    pick: (id) => {
      for (const [mark, marker] of markers) marker.getElement().classList.toggle('picked', mark === id)
      const chosen = id ? markers.get(id) : undefined
      if (chosen && !map.getBounds().contains(chosen.getLngLat())) map.jumpTo({ center: chosen.getLngLat() })
    },
    relook: (next) => {
      if (next === light) return
      light = next
      map.setStyle(mapStyle(next, key), { diff: false })
    },
    close: () => map.remove(),
  }
}
