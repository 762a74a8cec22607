"""The words of the public page, a catalogue a language; the same keys in each."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("en", "es")

_EN = {
    "title": "Gunshot alerts: how often they were right",
    "lead": "{agency} hears gunfire with microphones. This page says how good the alerts were, and"
    " how many shootings were missed. It is made from the agency's own records by a program, and"
    " nobody edits it.",
    "period": "Gunfire from {since} to {until}.",
    "language": "Español",
    "json": "The same figures as JSON",
    "rates": "Two figures that belong together",
    "rate_confirmed": "Alerts confirmed by evidence",
    "rate_confirmed_says": "of the alerts that a person passed on to officers, those for which"
    " casings, a victim, a video or a witness was found",
    "rate_found": "Known shootings that had an alert",
    "rate_found_says": "of the shootings known in any way, those with an alert that a person"
    " passed on to officers; the others are misses",
    "rate_precision": "Confirmed, where it is known what it was",
    "rate_precision_says": "confirmed alerts among those confirmed or unfounded; alerts whose cause"
    " stayed unknown are left out, which makes this figure look better",
    "no_rate": "too few to say",
    "interval": "95 % interval {low}–{high}",
    "counts": "All alerts",
    "what": "What", "how_many": "How many",
    "alerts": "Alerts", "confirmed": "Confirmed", "misses": "Misses",
    "alerts_full": "Alerts that a person passed on to officers",
    "confirmed_full": "Confirmed by evidence",
    "unfounded_full": "Unfounded: fireworks, or nothing was there",
    "unknown_full": "Unknown: looked into, and not found out",
    "open_full": "Open: no outcome written down yet",
    "misses_full": "Misses: known shootings without such an alert",
    "by_zone": "By zone", "zone": "Zone", "outside": "Outside the zones",
    "by_hour": "By hour of the day", "hour": "Hour",
    "by_kind": "What people heard in the sound", "kind": "Heard as",
    "gunshot": "Gunshot", "firework": "Firework", "vehicle": "Vehicle",
    "construction": "Construction", "other": "Something else", "unreviewed": "Not listened to",
    "share_confirmed": "Confirmed of all", "share_found": "Found",
    "none_yet": "There is too little yet to be told by zone.",
    "withheld": "–",
    "withheld_says": "withheld",
    "method": "How these figures are made",
    "method_1": "A machine proposes where a shot was fired. A person listens to the sound and"
    " decides before officers are sent. What the person turned away is not an alert here; if it"
    " proves to have been gunfire, it is counted as a miss.",
    "method_2": "An alert without evidence is not known to be false: casings roll away and"
    " witnesses stay silent. It is not known to be right either. So unknown and open alerts are"
    " counted on their own, and never left out of “confirmed of all”.",
    "method_3": "Misses are the shootings that became known in another way: an emergency call,"
    " casings, a victim, a video, a witness. Shootings that nobody told of are in no figure.",
    "method_4": "Each share has its 95 % interval (Wilson 1927): the fewer the cases, the wider it"
    " is, and the less the share says.",
    "method_5": "A count under {small} is shown as <{small}. Where a small count could be computed"
    " from the others, one more is withheld (–). No place nearer than a zone, no sensor and no"
    " person is on this page.",
}  # fmt: skip

_ES = {
    "title": "Alertas de disparos: cuántas veces acertaron",
    "lead": "{agency} oye disparos con micrófonos. Esta página dice qué tan buenas fueron las"
    " alertas y cuántos tiroteos pasaron sin alerta. Un programa la hace con los registros de la"
    " propia agencia y nadie la edita.",
    "period": "Disparos del {since} al {until}.",
    "language": "English",
    "json": "Las mismas cifras en JSON",
    "rates": "Dos cifras que van juntas",
    "rate_confirmed": "Alertas confirmadas con pruebas",
    "rate_confirmed_says": "de las alertas que una persona pasó a los agentes, aquellas en las que"
    " hubo casquillos, una víctima, un video o un testigo",
    "rate_found": "Tiroteos conocidos que tuvieron alerta",
    "rate_found_says": "de los tiroteos conocidos por cualquier vía, los que tuvieron una alerta"
    " que una persona pasó a los agentes; los demás son omisiones",
    "rate_precision": "Confirmadas, cuando se sabe qué fue",
    "rate_precision_says": "alertas confirmadas entre las confirmadas y las infundadas; las de"
    " causa desconocida quedan fuera, por lo que esta cifra parece mejor",
    "no_rate": "muy pocas para decirlo",
    "interval": "intervalo del 95 %: {low}–{high}",
    "counts": "Todas las alertas",
    "what": "Qué", "how_many": "Cuántas",
    "alerts": "Alertas", "confirmed": "Confirmadas", "misses": "Omisiones",
    "alerts_full": "Alertas que una persona pasó a los agentes",
    "confirmed_full": "Confirmadas con pruebas",
    "unfounded_full": "Infundadas: fuegos artificiales, o no había nada",
    "unknown_full": "Desconocidas: se investigó y no se supo",
    "open_full": "Abiertas: todavía sin resultado anotado",
    "misses_full": "Omisiones: tiroteos conocidos sin una alerta así",
    "by_zone": "Por zona", "zone": "Zona", "outside": "Fuera de las zonas",
    "by_hour": "Por hora del día", "hour": "Hora",
    "by_kind": "Lo que las personas oyeron en el sonido", "kind": "Oído como",
    "gunshot": "Disparo", "firework": "Fuegos artificiales", "vehicle": "Vehículo",
    "construction": "Construcción", "other": "Otra cosa", "unreviewed": "Sin escuchar",
    "share_confirmed": "Confirmadas del total", "share_found": "Con alerta",
    "none_yet": "Todavía hay muy poco para contarlo por zona.",
    "withheld": "–",
    "withheld_says": "reservado",
    "method": "Cómo se hacen estas cifras",
    "method_1": "Una máquina propone dónde hubo un disparo. Una persona escucha el sonido y decide"
    " antes de que se envíe a agentes. Lo que esa persona descartó no es aquí una alerta; si"
    " resulta que fue un disparo, cuenta como omisión.",
    "method_2": "De una alerta sin pruebas no se sabe que fuera falsa: los casquillos ruedan y los"
    " testigos callan. Tampoco se sabe que fuera cierta. Por eso las desconocidas y las abiertas se"
    " cuentan aparte y nunca se quitan de «confirmadas del total».",
    "method_3": "Las omisiones son los tiroteos que se conocieron de otra manera: una llamada de"
    " emergencia, casquillos, una víctima, un video, un testigo. Los que nadie contó no están en"
    " ninguna cifra.",
    "method_4": "Cada proporción lleva su intervalo del 95 % (Wilson 1927): cuantos menos casos,"
    " más ancho es y menos dice la proporción.",
    "method_5": "Una cuenta menor de {small} aparece como <{small}. Si una cuenta pequeña se"
    " pudiera calcular con las demás, se reserva otra (–). En esta página no hay lugares"
    " más precisos que una zona, ni sensores, ni personas.",
}  # fmt: skip

WORDS: Mapping[str, Mapping[str, str]] = {"en": _EN, "es": _ES}
