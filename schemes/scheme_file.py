"""A city's file becomes a validated scheme, or a list of everything that is wrong with it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from domain.kernel.field_shape import Notation
from domain.kernel.input import read_fields
from domain.kernel.scheme import Scheme
from schemes.document import DocumentFault, DocumentInvalid, read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def list_shipped() -> dict[str, Path]:
    """The cities' files that come with the product, by name."""
    folder = Path(str(files("schemes")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load(path: Path) -> Scheme:
    """The scheme in that file. Raises DocumentInvalid."""
    return read(path).parse(Scheme)


def load_shipped(name: str) -> Scheme:
    """The shipped scheme of that name. Raises DocumentInvalid if there is none."""
    path = list_shipped().get(name)
    if path is None:
        known = " ".join(list_shipped())
        raise DocumentInvalid(
            [DocumentFault(name, 1, "scheme", f"沒有此辦法；已有：{known}", f"no such scheme; there are: {known}")]
        )
    return load(path)


def vary(scheme: Scheme, sections: Mapping[str, Any]) -> Scheme:
    """The scheme with some parameters of some sections changed. Raises InputInvalid."""
    document = scheme.model_dump(mode="json")
    for section, parameters in sections.items():
        if isinstance(parameters, dict) and isinstance(document.get(section), dict):
            document[section] = {**document[section], **parameters}
        else:
            document[section] = parameters
    return read_fields(Scheme, document, Notation.YAML)
