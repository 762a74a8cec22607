/** Who and what is near a shot: units, cameras and readers, with when a car could pass them. */

export interface Reachable {
  id: string
  name: string
  metres: number | null
  passes_s: number | null // after the first round, at the soonest
  eta_s: number | null // a unit's way to the place
}

export interface Reach {
  units: Reachable[]
  cameras: Reachable[]
  readers: Reachable[]
}

/** The node's list, or null where nothing in it can be shown. */
export function readReach(answer: unknown): Reach | null {
  const told = (answer ?? {}) as Record<string, unknown>
  const reach = {
    units: listed(told['units']),
    cameras: listed(told['cameras']),
    readers: listed(told['readers']),
  }
  return reach.units.length + reach.cameras.length + reach.readers.length > 0 ? reach : null
}

function listed(rows: unknown): Reachable[] {
  if (!Array.isArray(rows)) return []
  return rows.flatMap((row: unknown): Reachable[] => {
    const told = (row ?? {}) as Record<string, unknown>
    const id = told['unit'] ?? told['device'] ?? told['device_id'] ?? told['id']
    if (typeof id !== 'string') return []
    const name = typeof told['name'] === 'string' && told['name'] ? told['name'] : id
    const passes = number(told['passes_s']) ?? number(told['earliest_s'])
    return [{ id, name, metres: number(told['metres']), passes_s: passes, eta_s: number(told['eta_s']) }]
  })
}

const number = (value: unknown) => (typeof value === 'number' && isFinite(value) ? value : null)
