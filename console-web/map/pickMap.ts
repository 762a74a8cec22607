/** A small map on which a person chooses one place. Loaded late, like the large one. */

import { Map as GlMap, Marker, NavigationControl } from 'maplibre-gl'

import type { Point } from '../wire/model'
import { openTiles } from './library'
import { mapStyle } from './style'

export interface PickMap {
  show: (place: Point | null) => void
  relook: (isLight: boolean) => void
  close: () => void
}

export async function openPickMap(
  box: HTMLElement,
  tiles: string | null,
  isLight: boolean,
  label: string,
  onPick: (place: Point) => void,
): Promise<PickMap> {
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
  let marker: Marker | null = null
  map.on('click', ({ lngLat }) => onPick({ lat: lngLat.lat, lon: lngLat.lng }))
  return {
    show: (place) => {
      marker?.remove()
      marker = null
      if (!place) return
      marker = new Marker({ color: isLight ? '#14202c' : '#e7edf3' })
      marker.setLngLat([place.lon, place.lat]).addTo(map)
      if (!map.getBounds().contains([place.lon, place.lat])) {
        map.jumpTo({ center: [place.lon, place.lat], zoom: Math.max(13, map.getZoom()) })
      }
    },
    relook: (light) => map.setStyle(mapStyle(light, key), { diff: false }),
    close: () => map.remove(),
  }
}
