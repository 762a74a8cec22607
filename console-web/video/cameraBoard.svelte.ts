/**
 * The cameras a screen knows: the register's list, and how each is now.
 *
 * In: the node's list and the live line. Out: reactive values. Never: one number where there are
 * three: in the register, answering, delivering pictures.
 */

import { ApiError, get } from '../wire/api'
import type { LiveMessage } from '../wire/model'
import type { Control } from './control.svelte'
import type { CameraRow, CamerasAnswer, Counts, OwnerCounts } from '../wire/video'

export type Standing = 'unasked' | 'asking' | 'known' | 'refused' | 'absent' | 'away'

export class CameraBoard {
  cameras = $state.raw<ReadonlyMap<string, CameraRow>>(new Map())
  counts = $state.raw<Counts | null>(null)
  owners = $state.raw<readonly OwnerCounts[]>([])
  standing = $state<Standing>('unasked')
  shown = $state(false) // the layer on the map
  picked = $state<string | null>(null) // the camera that was clicked
  turning = $state.raw<Control | null>(null) // a click on the map tells it where to look
  ownerNames = $derived(new Map(this.owners.map((o) => [o.owner_id, o.name])))

  constructor(private readonly permitted: (permit: number) => void) {}

  get(id: string | null): CameraRow | null {
    return id === null ? null : (this.cameras.get(id) ?? null)
  }

  ownerOf(camera: CameraRow): string {
    return this.ownerNames.get(camera.owner) ?? camera.owner
  }

  /** Asks once; a refusal is not asked again. */
  async want(): Promise<void> {
    if (this.standing === 'unasked' || this.standing === 'away') await this.ask()
  }

  async ask(): Promise<void> {
    if (this.standing !== 'known') this.standing = 'asking'
    try {
      const answer = await get<CamerasAnswer>('/api/cameras')
      if (answer.permit != null) this.permitted(answer.permit)
      this.cameras = new Map(answer.cameras.map((camera) => [camera.id, camera]))
      this.counts = answer.counts
      this.owners = answer.owners
      this.standing = 'known'
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (this.standing === 'known') return // the old list, with the states of the live line
      this.standing = error.status === 403 ? 'refused' : error.status === 404 ? 'absent' : 'away'
    }
  }

  toggle(): void {
    this.shown = !this.shown
    if (this.shown) void this.want()
    else this.picked = null
  }

  hear(message: LiveMessage & { k: 'cameras' }): void {
    this.counts = message.counts
    const changed = Object.entries(message.states).filter(([id, state]) => {
      const known = this.cameras.get(id)
      return known && known.state !== state
    })
    if (!changed.length) return
    const next = new Map(this.cameras)
    for (const [id, state] of changed) next.set(id, { ...next.get(id)!, state })
    this.cameras = next
  }
}
