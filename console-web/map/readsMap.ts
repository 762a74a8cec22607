/** A small map of where one plate was read, with numbers in the order of time. Loaded late. */

import { LngLatBounds, Map as GlMap, Marker, NavigationControl } from 'maplibre-gl'

import type { Point } from '../wire/model'
import { openTiles } from './library'
import { mapStyle } from './style'

export const MARKS_MAX = 200 // the newest; beyond that the table alone

export interface ReadMark {
  id: string
  place: Point
  label: string
  alike: boolean
}

export interface ReadsMap {
  show: (marks: readonly ReadMark[]) => void
  pick: (id: string | null) => void
  relook: (isLight: boolean) => void
  close: () => void
}

export async function openReadsMap(
  box: HTMLElement,
  tiles: string | null,
  isLight: boolean,
  label: string,
  onPick: (id: string) => void,
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

  /** Older ones lie below newer ones. The table has a button for each; these are for the pointer. */
  function markOf(mark: ReadMark, under: number): Marker {
    const element = document.createElement('div')
    element.className = mark.alike ? 'read-mark alike' : 'read-mark'
    element.textContent = mark.label
    element.style.zIndex = String(under)
    element.addEventListener('click', () => onPick(mark.id))
    const marker = new Marker({ element }).setLngLat([mark.place.lon, mark.place.lat]).addTo(map)
    for (const name of ['role', 'aria-label', 'tabindex']) element.removeAttribute(name)
    element.setAttribute('aria-hidden', 'true')
    return marker
  }

  return {
    show: (marks) => {
      for (const marker of markers.values()) marker.remove()
      const shown = marks.slice(0, MARKS_MAX)
      markers = new Map(shown.map((mark, i) => [mark.id, markOf(mark, shown.length - i)]))
      const [first] = shown
      if (!first) return
      const at = (p: Point): [number, number] => [p.lon, p.lat]
      const bounds = shown.reduce((b, m) => b.extend(at(m.place)), new LngLatBounds(at(first.place), at(first.place)))
      map.fitBounds(bounds, { padding: 60, maxZoom: 15, duration: 0 })
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
