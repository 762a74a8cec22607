/** Cameras by words. */

import type { CameraRow } from '../wire/video'

/** Those whose name or owner holds all words, in the order of their names. */
export function found(
  cameras: Iterable<CameraRow>,
  ownerOf: (camera: CameraRow) => string,
  words: string,
): CameraRow[] {
  const wanted = plain(words).split(/\s+/).filter(Boolean)
  return [...cameras]
    .filter((camera) => {
      const said = plain(`${camera.name} ${camera.id} ${ownerOf(camera)}`)
      return wanted.every((word) => said.includes(word))
    })
    .sort((a, b) => a.name.localeCompare(b.name))
}

const plain = (words: string) =>
  words
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .toLowerCase()
