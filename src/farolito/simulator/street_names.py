"""Names for a made-up city in English and Spanish. No name is taken from a real city's plan."""

from __future__ import annotations

import random
from collections.abc import Iterator

ARTERIALS_EW = (
    "Agua Fria Blvd", "Corona del Norte Blvd", "Mariposa Blvd", "Ponderosa Ave", "Adelante Blvd",
    "Camino Central", "Estrella Ave", "Harwood Ave", "Molino Blvd", "Cottonwood Blvd",
    "Ladera del Sur Blvd",
)  # fmt: skip
ARTERIALS_NS = (
    "Mesa Vista Blvd", "Colibri Rd", "West Bank Blvd", "Acequia Blvd", "Orchard Blvd",
    "Plaza Vieja Blvd", "First St", "Mulberry St", "Kestrel Blvd", "Palomino Blvd",
    "Chamisa Blvd", "Juniper Blvd", "Foothill Blvd",
)  # fmt: skip
ORDINALS = (
    "First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth",
)  # fmt: skip
DOWNTOWN_EW = (
    "Copper Row", "Silver Row", "Tinsmith Ave", "Lantern Ave", "Bell Ave", "Weaver Ave",
    "Saddler Ave", "Cooper Ave", "Assay Ave", "Turquoise Row",
)  # fmt: skip
_SPANISH = (
    "Calle", "Camino", "Avenida", "Paseo", "Via", "Vista",
)  # fmt: skip
_NOUNS = (
    "del Sol", "de la Luna", "del Halcon", "de la Rosa", "del Rey", "de las Piedras", "del Arroyo",
    "de los Alamos Viejos", "del Viento", "de la Paz", "del Lucero", "de la Golondrina",
    "del Cobre", "de la Sombra", "del Trigo", "de las Nubes", "del Alba", "de la Cumbre",
    "del Venado", "de los Pinones", "del Molino", "de la Noria", "del Puente", "de la Lluvia",
    "del Zorro", "de la Oveja", "del Maiz", "de las Flores", "del Pastor", "de la Fragua",
)  # fmt: skip
_ENGLISH = (
    "Apache Plume", "Aspen", "Badger", "Basalt", "Bluebird", "Bobcat", "Canyon Wren", "Cedar",
    "Chokecherry", "Cinder", "Clover", "Coyote", "Crane", "Cricket", "Desert Willow", "Dove",
    "Elder", "Feldspar", "Flint", "Fox", "Garnet", "Granite", "Greasewood", "Hackberry",
    "Hawthorn", "Heron", "Indigo", "Jasper", "Kingbird", "Larkspur", "Locust", "Lupine",
    "Magpie", "Mallow", "Mesquite", "Mica", "Mockingbird", "Obsidian", "Ocotillo", "Onyx",
    "Oriole", "Paintbrush", "Penstemon", "Pinyon", "Poplar", "Primrose", "Quail", "Quartz",
    "Rabbitbrush", "Raven", "Roadrunner", "Sagebrush", "Sandstone", "Saltbush", "Snowberry",
    "Sparrow", "Sumac", "Swallow", "Tamarisk", "Thistle", "Thunder", "Verbena", "Walnut",
    "Willow", "Wolfberry", "Yarrow", "Yucca", "Zinnia",
)  # fmt: skip
_KINDS = ("St", "Ave", "Dr", "Rd", "Ln", "Pl", "Ct", "Way", "Trl")
LANES = (
    "Calle de la Acequia", "Callejon del Herrero", "Calle del Campo Santo", "Callejon Angosto",
    "Calle de los Tejedores", "Callejon de la Campana", "Calle Vieja", "Callejon del Pozo",
    "Calle de la Troje", "Callejon de la Higuera", "Calle del Mercado", "Callejon Quebrado",
)  # fmt: skip
VILLAGE_LANES = (
    "Kiva View Ln", "Horno Ln", "Clay Ln", "Blue Corn Rd", "Field Rd", "Ditch Rd", "Elder Path Rd",
    "Cottonwood Ln", "Drum Ln", "Turtle Ln", "Rain Rd", "Shade Ln",
)  # fmt: skip
SCHOOLS = ("Elementary School", "Elementary School", "Middle School", "High School")


def local_names(chance: random.Random) -> Iterator[str]:
    """Every local street's name once, in a shuffled order, then numbered ones without end."""
    names = [f"{kind} {noun}" for kind in _SPANISH for noun in _NOUNS]
    names += [f"{noun} {kind}" for noun in _ENGLISH for kind in _KINDS]
    chance.shuffle(names)
    yield from names
    number = 100
    while True:
        yield f"{number}th St"
        number += 1


def school_names(chance: random.Random) -> Iterator[str]:
    nouns = list(_ENGLISH)
    chance.shuffle(nouns)
    for index, noun in enumerate(nouns):
        yield f"{noun} {SCHOOLS[index % len(SCHOOLS)]}"


def unquartered(name: str) -> str:
    """The name without its quarter of the city: `Harwood Ave SE` is `Harwood Ave`."""
    head, _, tail = name.rpartition(" ")
    return head if tail in {"NE", "NW", "SE", "SW"} else name
