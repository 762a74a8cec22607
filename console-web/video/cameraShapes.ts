/**
 * Cameras as shapes on the map: a mark each, and from near what they take in, in true size.
 *
 * In: cameras of the list. Out: GeoJSON. Never: a view drawn for a camera whose bearing nobody knows.
 */

import type { CameraRow, PictureState } from '../wire/video'

const METRES_A_DEGREE = 111_320
const ARC_STEP_DEG = 10
const ANSWERS: readonly PictureState[] = ['live', 'connecting', 'unknown']

export type CameraMark = 'up' | 'down' | 'shut'

/** Full: can be looked at. Crossed: gives no picture. Hollow: not open to this person. */
export function markOf({ open, state }: Pick<CameraRow, 'open' | 'state'>): CameraMark {
  if (!open) return 'shut'
  return ANSWERS.includes(state) ? 'up' : 'down'
}

export function cameraPoints(
  cameras: Iterable<CameraRow>,
  picked: string | null,
): GeoJSON.FeatureCollection {
  const features: GeoJSON.Feature[] = []
  for (const camera of cameras) {
    if (camera.lat === null || camera.lon === null) continue
    features.push({
      type: 'Feature',
      properties: {
        id: camera.id,
        name: camera.name,
        mark: `camera-${markOf(camera)}${camera.bearing === null ? '' : '-facing'}`,
        turn: camera.bearing ?? 0,
        picked: camera.id === picked,
      },
      geometry: { type: 'Point', coordinates: [camera.lon, camera.lat] },
    })
  }
  return { type: 'FeatureCollection', features }
}

/** What each takes in: a slice of a circle, its range long. */
export function cameraViews(cameras: Iterable<CameraRow>): GeoJSON.FeatureCollection {
  const features: GeoJSON.Feature[] = []
  for (const camera of cameras) {
    const ring = viewRing(camera)
    if (!ring) continue
    features.push({
      type: 'Feature',
      properties: { id: camera.id, shut: markOf(camera) !== 'up' },
      geometry: { type: 'Polygon', coordinates: [ring] },
    })
  }
  return { type: 'FeatureCollection', features }
}

export function viewRing(camera: CameraRow): [number, number][] | null {
  const { lat, lon, bearing, hfov, range_m: range } = camera
  if (lat === null || lon === null || (bearing === null && hfov < 360)) return null
  const north = range / METRES_A_DEGREE
  const east = north / Math.max(0.01, Math.cos((lat * Math.PI) / 180))
  const steps = Math.max(2, Math.ceil(hfov / ARC_STEP_DEG))
  const arc = Array.from({ length: steps + 1 }, (_, i): [number, number] => {
    const turn = (((bearing ?? 0) - hfov / 2 + (hfov * i) / steps) * Math.PI) / 180
    return [lon + east * Math.sin(turn), lat + north * Math.cos(turn)]
  })
  return hfov >= 360 ? [...arc.slice(0, -1), arc[0]!] : [[lon, lat], ...arc, [lon, lat]]
}
