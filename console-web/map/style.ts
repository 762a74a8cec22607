/**
 * Our own map style on the layers that docs/maps.md names. Grey ground; no alert colour anywhere.
 *
 * There is no `glyphs` address: labels draw from the fonts of this machine, so nothing is fetched.
 */

import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl'

interface Inks {
  ground: string
  county: string
  city: string
  tribal: string
  tribalEdge: string
  openSpace: string
  park: string
  university: string
  oldTown: string
  river: string
  beat: string
  building: string
  path: string
  local: string
  collector: string
  arterial: string
  motorway: string
  casing: string
  label: string
  halo: string
  landmark: string
}

const DARK: Inks = {
  ground: '#10151b',
  county: '#131a22',
  city: '#19212b',
  tribal: '#5b4a80',
  tribalEdge: '#a992e0',
  openSpace: '#18281f',
  park: '#1d3529',
  university: '#242a3d',
  oldTown: '#2e2a26',
  river: '#1c3a52',
  beat: '#4a5a6b',
  building: '#232e3a',
  path: '#33404d',
  local: '#364351',
  collector: '#425262',
  arterial: '#566879',
  motorway: '#6d8196',
  casing: '#10151b',
  label: '#b9c6d3',
  halo: '#10151b',
  landmark: '#7f90a1',
}

const LIGHT: Inks = {
  ground: '#e9edf1',
  county: '#eef1f4',
  city: '#f6f7f9',
  tribal: '#b9a8dd',
  tribalEdge: '#6d52ad',
  openSpace: '#dfeadf',
  park: '#cfe5d2',
  university: '#e3e5f2',
  oldTown: '#f0e8dc',
  river: '#b9d6ea',
  beat: '#9aa9b8',
  building: '#dde3e9',
  path: '#d3dae1',
  local: '#ffffff',
  collector: '#ffffff',
  arterial: '#ffffff',
  motorway: '#c3cdd8',
  casing: '#b9c4cf',
  label: '#3b4a59',
  halo: '#ffffff',
  landmark: '#5b6b7b',
}

export const STREETS = 'streets'
const FONT = ['system-ui', 'DejaVu Sans', 'sans-serif'].join(', ')
const ROADS = ['path', 'local', 'collector', 'arterial', 'motorway'] as const

/** Line width in px at zoom 9, 14 and 18. */
const WIDTHS: Record<(typeof ROADS)[number], [number, number, number]> = {
  path: [0.2, 0.6, 2],
  local: [0.3, 1.2, 12],
  collector: [0.5, 2, 16],
  arterial: [0.8, 3.2, 22],
  motorway: [1.4, 5, 28],
}

function width(kind: (typeof ROADS)[number], extra = 0): ExpressionSpecification {
  const [far, mid, near] = WIDTHS[kind]
  return [
    'interpolate',
    ['exponential', 1.5],
    ['zoom'],
    9,
    far + extra / 2,
    14,
    mid + extra,
    18,
    near + extra,
  ]
}

function area(kind: string, colour: string, opacity = 1): LayerSpecification {
  return {
    id: `area-${kind}`,
    type: 'fill',
    source: STREETS,
    'source-layer': 'area',
    filter: ['==', ['get', 'kind'], kind],
    paint: { 'fill-color': colour, 'fill-opacity': opacity },
  }
}

function edge(kind: string, colour: string, dash: number[], lineWidth: number): LayerSpecification {
  return {
    id: `edge-${kind}`,
    type: 'line',
    source: STREETS,
    'source-layer': 'area',
    filter: ['==', ['get', 'kind'], kind],
    paint: { 'line-color': colour, 'line-width': lineWidth, 'line-dasharray': dash },
  }
}

function road(kind: (typeof ROADS)[number], colour: string): LayerSpecification {
  return {
    id: `road-${kind}`,
    type: 'line',
    source: STREETS,
    'source-layer': 'road',
    filter: ['==', ['get', 'kind'], kind],
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: { 'line-color': colour, 'line-width': width(kind) },
  }
}

function casing(kind: (typeof ROADS)[number], colour: string): LayerSpecification {
  return {
    id: `casing-${kind}`,
    type: 'line',
    source: STREETS,
    'source-layer': 'road',
    minzoom: 11,
    filter: ['==', ['get', 'kind'], kind],
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: { 'line-color': colour, 'line-width': width(kind, 1.6) },
  }
}

function streetLayers(ink: Inks): LayerSpecification[] {
  return [
    area('county', ink.county),
    area('city', ink.city),
    area('tribal', ink.tribal, 0.28),
    area('open_space', ink.openSpace),
    area('park', ink.park),
    area('university', ink.university),
    area('old_town', ink.oldTown),
    area('river', ink.river),
    edge('tribal', ink.tribalEdge, [3, 2], 1.2),
    edge('beat', ink.beat, [1, 3], 1),
    {
      id: 'building',
      type: 'fill',
      source: STREETS,
      'source-layer': 'building',
      minzoom: 14,
      paint: { 'fill-color': ink.building },
    },
    ...ROADS.map((kind) => casing(kind, ink.casing)),
    road('path', ink.path),
    road('local', ink.local),
    road('collector', ink.collector),
    road('arterial', ink.arterial),
    road('motorway', ink.motorway),
    ...labelLayers(ink),
  ]
}

function labelLayers(ink: Inks): LayerSpecification[] {
  const paint = { 'text-color': ink.label, 'text-halo-color': ink.halo, 'text-halo-width': 1.4 }
  return [
    {
      id: 'road-name',
      type: 'symbol',
      source: STREETS,
      'source-layer': 'road',
      minzoom: 12,
      filter: ['in', ['get', 'kind'], ['literal', ['collector', 'arterial', 'motorway']]],
      layout: {
        'symbol-placement': 'line',
        'symbol-spacing': 320,
        'text-field': ['get', 'name'],
        'text-font': [FONT],
        'text-size': 11,
        'text-padding': 6,
      },
      paint,
    },
    {
      id: 'local-name',
      type: 'symbol',
      source: STREETS,
      'source-layer': 'road',
      minzoom: 15,
      filter: ['==', ['get', 'kind'], 'local'],
      layout: {
        'symbol-placement': 'line',
        'symbol-spacing': 260,
        'text-field': ['get', 'name'],
        'text-font': [FONT],
        'text-size': 10.5,
      },
      paint,
    },
    {
      id: 'landmark-dot',
      type: 'circle',
      source: STREETS,
      'source-layer': 'landmark',
      minzoom: 12,
      filter: ['in', ['get', 'kind'], ['literal', ['school', 'hospital', 'station']]],
      paint: {
        'circle-radius': 2.5,
        'circle-color': ink.landmark,
        'circle-stroke-color': ink.halo,
        'circle-stroke-width': 1,
      },
    },
    {
      id: 'landmark-name',
      type: 'symbol',
      source: STREETS,
      'source-layer': 'landmark',
      minzoom: 13,
      filter: ['in', ['get', 'kind'], ['literal', ['school', 'hospital', 'station']]],
      layout: {
        'text-field': ['get', 'name'],
        'text-font': [FONT],
        'text-size': 10.5,
        'text-anchor': 'top',
        'text-offset': [0, 0.5],
      },
      paint: { ...paint, 'text-color': ink.landmark },
    },
    {
      id: 'area-name',
      type: 'symbol',
      source: STREETS,
      'source-layer': 'label',
      filter: ['!=', ['get', 'kind'], 'county'],
      layout: {
        'text-field': ['get', 'name'],
        'text-font': [FONT],
        'text-size': ['match', ['get', 'kind'], ['city', 'tribal'], 14, 11],
        'text-letter-spacing': 0.04,
        'text-max-width': 9,
      },
      paint: {
        ...paint,
        'text-color': ['match', ['get', 'kind'], 'tribal', ink.tribalEdge, ink.label],
      },
    },
  ]
}

/** The whole style; without tiles only the ground, on which alerts and units still stand. */
export function mapStyle(isLight: boolean, tiles: string | null): StyleSpecification {
  const ink = isLight ? LIGHT : DARK
  return {
    version: 8,
    sources: tiles ? { [STREETS]: { type: 'vector', url: `pmtiles://${tiles}` } } : {},
    layers: [
      { id: 'ground', type: 'background', paint: { 'background-color': ink.ground } },
      ...(tiles ? streetLayers(ink) : []),
    ],
  }
}
