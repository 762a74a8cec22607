"""The official EIDO schema, where an agency has a copy of it: what a document does not keep to.

The folder holds NENA's `openapi.yaml` and beside it `NIEMComponents/*.yaml`. They are loaded as
they are published; their two defects are mended in memory: a number that is text (`minItems: 1,`)
and a path with two slashes. Schemas are JSON Schema Draft 4, as OpenAPI 3.0 has it. In EIDO *data*
`$id` and `$ref` are ordinary keys: only the schema's own references are followed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft4Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from farolito.model import Invalid

FAULTS_MAX = 5  # of one document that are told
SAYS_CHARACTERS_MAX = 200  # of one fault; it repeats the value, which may be long
FILE_BYTES_MAX = 16 * 2**20  # of one schema file; a larger one is none
FILES_MAX = 200
_TARGET = "openapi.yaml#/components/schemas/EmergencyIncidentDataObjectType"
_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class EidoSchema:
    """Loading takes about a second and a half; checking a document a few milliseconds."""

    def __init__(self, folder: Path) -> None:
        """Raises Invalid where the folder does not hold the schema."""
        files = [folder / "openapi.yaml", *sorted((folder / "NIEMComponents").glob("*.yaml"))]
        if len(files) < 2 or len(files) > FILES_MAX:
            do = "point it at NENA's folder with openapi.yaml and NIEMComponents/"
            raise Invalid(f"no EIDO schema in {folder}", do)
        registry: Registry[Any] = Registry().with_resources(
            [(file.name, DRAFT4.create_resource(_load(file))) for file in files]
        )
        self._validator = Draft4Validator({"$ref": _TARGET}, registry=registry)

    def faults(self, document: Any) -> list[str]:
        """Where a document does not keep to the schema: path and sentence, the first few."""
        told: list[str] = []
        try:
            for error in self._validator.iter_errors(document):
                where = "/".join(str(step) for step in error.absolute_path) or "the document"
                told.append(f"{where}: {error.message}"[:SAYS_CHARACTERS_MAX])
                if len(told) >= FAULTS_MAX:
                    break
        except RecursionError:
            told.append("the document: nested deeper than can be checked")
        return told


def _load(file: Path) -> Any:
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise Invalid(f"{file.name} is too large for a schema", "check the folder")
        with file.open("rb") as text:
            return _mended(yaml.load(text, _Loader))  # noqa: S506 - a safe loader, in C
    except (OSError, yaml.YAMLError) as error:
        raise Invalid(f"the schema file {file.name} cannot be read", str(error)[:200]) from error


def _mended(node: Any) -> Any:
    """The schema with its defects mended and its references by bare file name."""
    if isinstance(node, list):
        return [_mended(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: _mended(value) for key, value in node.items()}
    reference = made.get("$ref")
    if isinstance(reference, str) and not reference.startswith("#"):
        made["$ref"] = reference.rpartition("/NIEMComponents/")[2].removeprefix("NIEMComponents/")
        made["$ref"] = made["$ref"].lstrip("/")
    if isinstance(made.get("minItems"), str):
        made["minItems"] = int(made["minItems"].strip(" ,"))
    return made
