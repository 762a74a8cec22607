"""The few fixed words of markers and chats. What a brief says comes in its own language already."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

Wording = Mapping[str, str]

ENGLISH: Wording = {
    "since": "since",
    "as_of": "as of",
    "source": "source",
    "call": "dispatch call",
    "report": "an officer's or operator's report",
    "confirmed_alert": "plate alert, confirmed by a person",
    "shots_heard": "gunshot sensors, reviewed by a person",
    "shots": "Shots",
    "round": "round",
    "rounds": "rounds",
    "reviewed": "reviewed as gunfire by a person",
    "within": "within",
    "one_of": "one of several places, this one",
    "rough": "place without a known accuracy",
    "outside_net": "outside the sensors that heard it: less sure",
    "sensors": "gunshot sensors",
    "plate_confirmed": "plate confirmed by a person",
    "confirm_with": "confirm with",
    "seen": "seen",
    "heard": "heard",
    "camera": "camera",
    "reader": "plate reader",
    "doubtful": "place or time doubtful",
    "brief": "BRIEF",
    "version": "version",
    "assigned": "assigned",
    "en_route": "en route",
    "on_scene": "on scene",
    "cleared": "cleared",
    "confirmed": "confirmed",
    "told": "told, not checked",
    "machine": "machine, not confirmed",
    "unknown": "NOT KNOWN",
    "recalled": "RECALLED",
    "ended": "ENDED",
    "held_back": "Held back here: ask the desk.",
    "noted": "Noted",
    "asked": "The desk has your question",
    "no_brief": "No brief is running for you. Call dispatch.",
    "not_taken": "Not taken. Call dispatch.",
    "clear": "clear",
}
SPANISH: Wording = {
    "since": "desde",
    "as_of": "según datos de",
    "source": "fuente",
    "call": "llamada de despacho",
    "report": "informe de un agente u operador",
    "confirmed_alert": "alerta de placa, confirmada por una persona",
    "shots_heard": "sensores de disparos, escuchados por una persona",
    "shots": "Disparos",
    "round": "detonación",
    "rounds": "detonaciones",
    "reviewed": "una persona las escuchó y son disparos",
    "within": "a no más de",
    "one_of": "uno de varios lugares, este",
    "rough": "lugar sin precisión conocida",
    "outside_net": "fuera de los sensores que lo oyeron: menos seguro",
    "sensors": "sensores de disparos",
    "plate_confirmed": "placa confirmada por una persona",
    "confirm_with": "confirme con",
    "seen": "visto",
    "heard": "oído",
    "camera": "cámara",
    "reader": "lector de placas",
    "doubtful": "lugar u hora dudosos",
    "brief": "INFORME",
    "version": "versión",
    "assigned": "asignada",
    "en_route": "en camino",
    "on_scene": "en el lugar",
    "cleared": "libre",
    "confirmed": "confirmado",
    "told": "dicho, sin comprobar",
    "machine": "máquina, sin confirmar",
    "unknown": "NO SE SABE",
    "recalled": "RETIRADO",
    "ended": "TERMINADO",
    "held_back": "No se muestra aquí: pregunte a la central.",
    "noted": "Anotado",
    "asked": "La central tiene su pregunta",
    "no_brief": "No hay un informe activo para usted. Llame a despacho.",
    "not_taken": "No se registró. Llame a despacho.",
    "clear": "libre",
}
WORDINGS: Mapping[str, Wording] = {"en": ENGLISH, "es": SPANISH}


def wording_of(language: str) -> Wording:
    """A language of its own that has no words here yet gets English."""
    return WORDINGS.get(language.partition("-")[0], ENGLISH)


def instant(at: datetime) -> str:
    """UTC with its Z: a receiver's screen may stand in any zone."""
    return at.astimezone(UTC).strftime("%H:%M:%SZ")
