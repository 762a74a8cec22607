/** What an operator does to one plate alert, and what of it is sent. */

import type { RejectReason } from '../wire/model'

export type Deed =
  | { act: 'take' }
  | { act: 'confirm'; stateConfirmed: boolean }
  | { act: 'reject'; reason: RejectReason; note: string }
  | { act: 'brief'; unit: string }
  | { act: 'recall'; reason: string }

export function bodyOf(deed: Deed): Record<string, unknown> {
  switch (deed.act) {
    case 'confirm':
      return { state_confirmed: deed.stateConfirmed, crop_compared: true }
    case 'reject':
      return { reason: deed.reason, ...(deed.note ? { note: deed.note } : {}) }
    case 'brief':
      return { unit: deed.unit }
    default:
      return {}
  }
}
