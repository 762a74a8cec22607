"""When each step of an incident was written down, for the honest clocks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from farolito.model import AgencyId, UnitTiming, WaitingCall

ROWS_MAX = 5_000  # the newest; a longer period is asked for in pieces

# Log lines hold our own time of each step. Of several tellings of one step the first counts.
_ROWS = """
with chosen as (
  select i.incident_id, i.body, i.opened_at from incidents i
  where i.opened_at >= $1 and i.opened_at < $2 and i.state <> 'joined'
), steps as (
  select l.incident_id, l.unit,
    min(l.at) filter (where l.what in ('unit_assigned', 'unit_en_route')) as assigned_at,
    min(l.at) filter (where l.what = 'unit_on_scene' and l.who is null) as cad_scene_at,
    min(l.at) filter (where l.what = 'unit_on_scene' and l.who is not null) as tap_scene_at,
    min(l.at) filter (where l.what = 'unit_near') as near_at,
    max(l.at) filter (where l.what = 'unit_cleared') as cleared_at
  from incident_log l join chosen using (incident_id) where l.unit is not null
  group by l.incident_id, l.unit
), calls_of as (
  select p.incident_id, min((c.body->>'taken_at')::timestamptz) as call_at,
    min(c.here_at) as here_at
  from incident_parts p join calls c on c.call_id = p.part_id and p.kind = 'call'
  group by p.incident_id
), told as (
  select b.incident_id, b.unit, min(b.composed_at) filter (where b.version = 1) as composed_at,
    max((b.body->>'ended_at')::timestamptz) as ended_at
  from briefs b join chosen using (incident_id) group by b.incident_id, b.unit
), received as (
  select b.incident_id, b.unit,
    min(r.at) filter (where r.kind = 'delivered') as delivered_at,
    min(r.at) filter (where r.kind = 'opened') as opened_at,
    min(r.at) filter (where r.kind = 'heard') as heard_at
  from briefs b join chosen using (incident_id) join receipts r using (brief_id, version)
  group by b.incident_id, b.unit
)
select c.incident_id, c.body->'parts'->0->>'label' as label, c.body->>'kind' as kind,
  (c.body->>'level')::int as level, u.unit,
  coalesce(c.body->'parts'->0->>'kind', '') = 'alert' as by_alert,
  k.call_at, coalesce(k.here_at, c.opened_at) as here_at,
  coalesce(s.assigned_at, t.composed_at) as assigned_at, t.composed_at,
  r.delivered_at, r.opened_at, r.heard_at,
  least(s.cad_scene_at, s.tap_scene_at, s.near_at) as on_scene_at,
  case least(s.cad_scene_at, s.tap_scene_at, s.near_at)
    when s.near_at then 'position' when s.tap_scene_at then 'officer'
    when s.cad_scene_at then 'cad' end as on_scene_by,
  coalesce(s.cleared_at, t.ended_at) as freed_at
from chosen c
join (select incident_id, unit from steps union select incident_id, unit from told) u
  using (incident_id)
left join steps s on s.incident_id = u.incident_id and s.unit = u.unit
left join told t on t.incident_id = u.incident_id and t.unit = u.unit
left join received r on r.incident_id = u.incident_id and r.unit = u.unit
left join calls_of k on k.incident_id = u.incident_id
order by c.opened_at desc, u.unit limit $3
"""

_WAITING = """
select c.here_at, min(l.at) as assigned_at
from calls c left join incident_log l on l.incident_id = c.incident_id
  and l.what in ('unit_assigned', 'unit_en_route') and l.at >= c.here_at
where c.here_at >= $1 and c.here_at < $2 and (c.body->>'priority')::int = 1
  and c.body->>'duplicate_of' is null
group by c.call_id, c.here_at order by c.here_at
"""


class TimingRows:
    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def units(self, since: datetime, until: datetime) -> list[UnitTiming]:
        """Every unit on every incident that was opened in between, the newest first."""
        rows = await self._connection.fetch(_ROWS, since, until, ROWS_MAX)
        return [msgspec.convert(dict(row), UnitTiming) for row in rows]

    async def waiting(self, since: datetime, until: datetime) -> list[WaitingCall]:
        """Priority-1 calls that came in between; a second telling of a call is no second one."""
        rows = await self._connection.fetch(_WAITING, since, until)
        return [WaitingCall(**dict(row)) for row in rows]
