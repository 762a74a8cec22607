"""What a node hands to its web application: every room that a screen asks."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo

from farolito import __version__
from farolito.app.clock import ids, now
from farolito.app.reach import Reach
from farolito.app.rooms import NodeRooms
from farolito.app.secrets import admin_token
from farolito.app.web import web_folder
from farolito.console import Services
from farolito.transparency import PublicShots


def services_of(node: NodeRooms) -> Services:
    return Services(
        agency=node.agency,
        node_name=node.config.node.name,
        version=__version__,
        demo=node.demo,
        origin=node.config.origin,
        gate=node.gate,
        desk=node.desk,
        briefing=node.briefing,
        dispatch=node.dispatch,
        words=node.words,
        ways_to=node.ways.to,
        units_changed=node.units_changed,
        push_key=node.outgoing.push_key,
        push_allowed=node.push_allowed,
        identity=node.identity,
        hub=node.hub,
        clock=now,
        ids=ids,
        health=node.figures.report,
        devices=node.identity.devices,
        register=node.register,
        lists=node.list_desk.ages,
        find_entries=node.list_desk.find,
        import_list=node.list_desk.import_list,
        recall=node.list_desk.recall,
        map_view=node.map_view,
        admin_token=admin_token(node.state),
        shots=node.shots.desk,
        sensors=node.shots.view,
        coverage=node.shots.coverage,
        shot_reach=Reach(node.surroundings, node.positions, now, node.cameras.rooms.book.all).of,
        cameras=node.cameras.for_screens(),
        clips=node.cameras.clips,
        picture_places=node.cameras.places,
        public_page=PublicShots(
            node.shots.desk, node.agency.name, ZoneInfo(node.config.agency.zone), now
        ).page,
        tiles=node.state / "maps",
        web=Path(os.environ.get("FAROLITO_WEB_DIR") or web_folder()),
        partners=node.federation.partners.for_screens(),
        agreements=node.federation.agreeing.console,
        public=node.public.for_screens(),
        search=node.federation.search,
        places=node.places,
        reviews=node.reviews.desk,
        people=node.people.for_screens(),
        asked=node.federation.answers.asked,
        witnesses=node.federation.witnesses.view,
        tour=lambda: node.tour,
    )
