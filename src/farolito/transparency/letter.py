"""The letter to the owner of a plate, in plain text for paper, in English and Spanish."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import tzinfo

from farolito.model.figures import OwnPlateAnswer, SearchesOfPlate
from farolito.transparency.account_words import WORDS

_EN = {
    "title": "Was my plate searched?",
    "to": "To {owner}, for the plate {plate} of {state}",
    "asked": "You asked {agency} how often this plate was looked up from {since} to {until}. Our"
    " records desk saw: {checked}.",
    "none": "In that time nobody looked it up in our records, as far as may be told.",
    "some": "It was looked up {count} times:",
    "row": "  {month}  {agency}, {purpose}: {searches}",
    "refused": "{refused} refused",
    "put_to": "asked of {owners} as well",
    "unknown": "no purpose given",
    "not_yet": "Besides these there were {count} others that may not be told yet, because their"
    " case is open or it is not known here that it has ended. Ask again later.",
    "left_out": "Searches for cases that are still open are not in this letter.",
    "not_here": "A search in another agency's own records stands in that agency's ledger. You can"
    " ask: {agencies}.",
    "how": "A search is one person asking where this plate was. Hits of a hot list that nobody"
    " searched for, and reads by cameras, are not searches.",
    "logged": "This answer is entry {permit} of our ledger. Who searched is not told to you; if you"
    " believe that a search was wrong, our oversight body can open it.",
}

_ES = {
    "title": "¿Se buscó mi placa?",
    "to": "Para {owner}, por la placa {plate} de {state}",
    "asked": "Usted preguntó a {agency} cuántas veces se buscó esta placa del {since} al {until}."
    " Nuestra oficina de registros vio: {checked}.",
    "none": "En ese tiempo nadie la buscó en nuestros registros, hasta donde se puede decir.",
    "some": "Se buscó {count} veces:",
    "row": "  {month}  {agency}, {purpose}: {searches}",
    "refused": "{refused} rechazadas",
    "put_to": "también se preguntó a {owners}",
    "unknown": "sin propósito",
    "not_yet": "Además hubo otras {count} que todavía no se pueden decir, porque su caso está"
    " abierto o aquí no se sabe que haya terminado. Vuelva a preguntar más adelante.",
    "left_out": "Las búsquedas de casos que siguen abiertos no están en esta carta.",
    "not_here": "Una búsqueda en los registros de otra agencia está en el libro de esa agencia."
    " Puede preguntar a: {agencies}.",
    "how": "Una búsqueda es una persona que pregunta dónde estuvo esta placa. Las coincidencias de"
    " una lista que nadie buscó, y las lecturas de las cámaras, no son búsquedas.",
    "logged": "Esta respuesta es la entrada {permit} de nuestro libro. No se le dice quién buscó;"
    " si cree que una búsqueda fue indebida, nuestro órgano de supervisión puede abrirla.",
}

LETTER_WORDS: Mapping[str, Mapping[str, str]] = {"en": _EN, "es": _ES}


def letter(
    answer: OwnPlateAnswer, permit: int, agency: str, hours_of: tzinfo, language: str
) -> str:
    """`agency`: our own name."""
    return "\n".join(_lines(answer, permit, agency, hours_of, language)) + "\n"


def _lines(
    answer: OwnPlateAnswer, permit: int, agency: str, hours_of: tzinfo, language: str
) -> Iterable[str]:
    words, question = LETTER_WORDS[language], answer.question
    yield words["title"]
    yield words["to"].format(owner=question.owner, plate=question.plate, state=question.state)
    yield f"{agency}, {answer.answered_at.astimezone(hours_of):%Y-%m-%d}"
    yield ""
    yield words["asked"].format(
        agency=agency,
        checked=question.checked,
        since=f"{question.since.astimezone(hours_of):%Y-%m-%d}",
        until=f"{question.until.astimezone(hours_of):%Y-%m-%d}",
    )
    yield ""
    count = sum(one.searches for one in answer.rows)
    yield words["some"].format(count=count) if answer.rows else words["none"]
    for one in answer.rows:
        yield _row(one, answer, language)
    if answer.not_yet:
        yield ""
        yield words["not_yet"].format(count=answer.not_yet)
    if answer.not_yet is None:
        yield ""
        yield words["left_out"]
    yield ""
    yield words["how"]
    if answer.ask_too:
        yield words["not_here"].format(agencies=", ".join(answer.ask_too))
    yield words["logged"].format(permit=permit)


def _row(one: SearchesOfPlate, answer: OwnPlateAnswer, language: str) -> str:
    words = LETTER_WORDS[language]
    purpose = f"purpose_{one.purpose}" if one.purpose else ""
    said = words["row"].format(
        month=one.month,
        agency=answer.names.get(one.agency, one.agency),
        purpose=WORDS[language].get(purpose, WORDS[language]["purpose_other"])
        if purpose
        else words["unknown"],
        searches=one.searches,
    )
    if one.refused:
        said += f" ({words['refused'].format(refused=one.refused)})"
    if one.put_to:
        owners = ", ".join(answer.names.get(owner, owner) for owner in one.put_to)
        said += f"; {words['put_to'].format(owners=owners)}"
    return said
