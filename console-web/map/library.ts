/** The map library, set up once: its worker, and the tile file of this node. */

import 'maplibre-gl/dist/maplibre-gl.css'

import { addProtocol, LngLatBounds, setWorkerUrl } from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'
import { PMTiles, Protocol } from 'pmtiles'

setWorkerUrl(workerUrl)
const protocol = new Protocol()
addProtocol('pmtiles', protocol.tile)

export interface Tiles {
  key: string | null // null: there are no streets
  home: LngLatBounds | null
}

/** Asks the tiles' own header where home is. */
export async function openTiles(tiles: string | null): Promise<Tiles> {
  if (!tiles) return { key: null, home: null }
  const archive = new PMTiles(new URL(tiles, location.href).href)
  try {
    const { minLon, minLat, maxLon, maxLat } = await archive.getHeader()
    protocol.add(archive)
    return { key: archive.source.getKey(), home: new LngLatBounds([minLon, minLat, maxLon, maxLat]) }
  } catch {
    return { key: null, home: null }
  }
}
