"""Where the data files of the product lie: beside this package, in a wheel as in a checkout."""

from pathlib import Path

# `battpass/kg` may be a link to `kg`; either way the folders of terms and shapes are its siblings.
_HOUSE = Path(__file__).resolve().parent.parent


def ontology_path(name: str = "") -> Path:
    """Return the path of a file of `ontology/`, or of the folder itself."""
    return _HOUSE / "ontology" / name


def shapes_path(name: str = "") -> Path:
    """Return the path of a file of `shapes/`, or of the folder itself."""
    return _HOUSE / "shapes" / name
