/** What the machine thinks, in words a person uses. */

import type { Catalogue } from '../i18n/en'
import type { ListedVehicle, Match } from '../wire/model'

export function posteriorWords(posterior: number, t: Catalogue['panel']['posterior']): string {
  if (posterior >= 0.99) return t.certain
  if (posterior >= 0.9) return t.veryLikely
  if (posterior >= 0.7) return t.likely
  if (posterior >= 0.3) return t.open
  if (posterior >= 0.05) return t.unlikely
  return t.hardly
}

export function listedWords(vehicle: ListedVehicle | null | undefined): string | null {
  if (!vehicle) return null
  const parts = [vehicle.colour, vehicle.year, vehicle.make, vehicle.model, vehicle.kind]
  return parts.filter(Boolean).join(' ') || null
}

export function seenVehicleWords(match: Match): string | null {
  const vehicle = match.read.vehicle
  if (!vehicle) return null
  const parts = [vehicle.colour, vehicle.year, vehicle.make, vehicle.model, vehicle.kind]
  return parts.map((p) => p?.value).filter(Boolean).join(' ') || null
}

/** Is a person's answer about the state still missing? */
export function stateIsUnknown(match: Match): boolean {
  return match.checks.some((c) => c.name === 'state' && c.outcome !== 'passed')
}
