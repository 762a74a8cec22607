import { expect, test } from 'vitest'

import type { Alert, Incident } from '../wire/model'
import type { Shot } from '../wire/model.shots'
import type { CameraRow } from '../wire/video'
import { cameraPoints, cameraViews, markOf, viewRing } from './cameraShapes'
import { clockWords, passingAt } from './passing'
import { nextPath, ofAlert, ofIncident, ofShot, questionOf } from './subject'

const at = (second: number) => new Date(Date.UTC(2026, 10, 2, 10, 0, second)).toISOString()
const alert = (id: string, second: number, heading: number | null = 90) =>
  ({
    alert_id: id,
    match: { read: { place: { lat: 35, lon: -106 }, captured_at: at(second), heading_deg: heading } },
  }) as unknown as Alert
const camera = (more: Partial<CameraRow> = {}): CameraRow => ({
  id: 'c',
  name: 'C',
  lat: 35,
  lon: -106,
  bearing: 0,
  hfov: 60,
  range_m: 111.32,
  ptz: false,
  state: 'live',
  owner: 'city',
  consent: 'always',
  open: true,
  ...more,
})

test('the window is counted down, runs and is over', () => {
  const now = (second: number) => passingAt(at(42), at(60), Date.parse(at(second)))
  expect(now(0)).toEqual({ phase: 'in', seconds: 42 })
  expect(now(50)).toEqual({ phase: 'now', seconds: 10 })
  expect(now(65)).toEqual({ phase: 'passed', seconds: 5 })
  expect([0, 42, 725, 3725].map(clockWords)).toEqual(['0:00', '0:42', '12:05', '1:02:05'])
})

test('of an incident the car seen last is followed', () => {
  const incident = { incident_id: 'i', state: 'open', place: { lat: 35, lon: -106 } } as Incident
  const subject = ofIncident(incident, [alert('a', 1), alert('b', 9), alert('c', 4)])
  expect(subject).toMatchObject({ path: '/api/incidents/i/pictures', incidentId: 'i' })
  expect(subject.lastSeen?.at).toBe(at(9))
  expect(ofIncident({ ...incident, state: 'closed' }, []).incidentId).toBeNull()
  expect(ofIncident({ ...incident, place: null }, []).path).toBeNull()
})

test('a car seen again asks anew, a shot asks where it was fired', () => {
  const first = ofAlert(alert('a', 1), null)
  const again = ofAlert({ ...alert('a', 1), last_seen: alert('a', 30, null).match.read }, null)
  expect(again.key).toBe(first.key)
  expect(questionOf(again)).not.toBe(questionOf(first))
  expect(nextPath(first.lastSeen!)).toContain('&bearing=90')
  expect(nextPath(again.lastSeen!)).not.toContain('bearing')
  const shot = { place: { lat: 35.1, lon: -106.2 }, discharged_at: at(3) } as Shot
  expect(ofShot('s', shot, 'i')).toMatchObject({
    path: `/api/pictures/near?lat=35.100000&lon=-106.200000&at=${encodeURIComponent(at(3))}&count=4`,
    lastSeen: null,
  })
})

test('a mark says whether one may look, and whether there is anything to see', () => {
  expect(markOf(camera())).toBe('up')
  expect(markOf(camera({ state: 'unreachable' }))).toBe('down')
  expect(markOf(camera({ state: 'live', open: false }))).toBe('shut')
  const points = cameraPoints([camera(), camera({ lat: null }), camera({ bearing: null })], 'c')
  expect(points.features.map((f) => f.properties?.['mark'])).toEqual(['camera-up-facing', 'camera-up'])
})

test('a view is drawn in true size, and not where the bearing is unknown', () => {
  const ring = viewRing(camera())!
  expect(ring[0]).toEqual(ring.at(-1))
  expect(Math.max(...ring.map(([, lat]) => lat)) - 35).toBeCloseTo(0.001, 5)
  expect(viewRing(camera({ bearing: null }))).toBeNull()
  expect(viewRing(camera({ bearing: null, hfov: 360 }))).not.toBeNull()
  expect(cameraViews([camera(), camera({ bearing: null })]).features).toHaveLength(1)
})
