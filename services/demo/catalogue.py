"""Fictive makers, battery models, chemistries and their materials: the tables beside this file.

No maker, plant or product in them exists. The figures are what a data sheet of such a battery could
say: energy is nominal voltage times capacity, masses follow from specific energies met in practice,
carbon footprints are per kWh delivered over the service life (Regulation (EU) 2023/1542, Annex II).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, Self, TypeVar

from battpass.kg.errors import BadTable
from battpass.kg.tables import read_table

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Maker:
    """An economic operator with its plants, by Catena-X number (BPNL, BPNA), and its web domain.

    `reports` says whether it publishes the reports that nobody is obliged to.
    """

    maker: str
    name: str
    bpnl: str
    plants: tuple[str, ...]
    domain: str
    reports: bool


@dataclass(frozen=True, slots=True)
class Chemistry:
    """What all batteries of one chemistry share.

    `calendar_fade_percent` is the capacity lost in the first year at rest, `rise_per_fade` the growth
    of the internal resistance in percent for each percent of capacity lost. `charge_factor` is what must
    be charged for each ampere hour delivered: lead-acid gasses towards the end of charge.
    """

    chemistry: str
    un_number: str
    un_description: str
    cn_code: str
    agent: str
    fire_class: str
    calendar_fade_percent: float
    rise_per_fade: float
    charge_factor: float


@dataclass(frozen=True, slots=True)
class ActiveElement:
    """A chemical element in the active materials."""

    chemistry: str
    element: str
    cas: str
    critical: bool


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A material of the cell; `cell_percent` is its share of the mass of the cell."""

    chemistry: str
    location: str
    name: str
    id_type: str
    identifier: str
    cell_percent: float
    critical: bool
    renewable_percent: float
    recycled_percent: float


@dataclass(frozen=True, slots=True)
class Hazard:
    """A hazardous substance other than mercury, cadmium and lead, with its effect in plain words.

    It is one of the ingredients, whose share it has; `unit` is the one that the share is declared in.
    """

    chemistry: str
    name: str
    id_type: str
    identifier: str
    unit: str
    location: str
    critical: bool
    effect: str


@dataclass(frozen=True, slots=True)
class BatteryModel:
    """One row of `models.csv`: what is the same for all batteries of a model.

    `origin` names the model that a second-life battery was before. `fleet_share` weighs the model in
    a fleet; `cycles_per_year` is its usual use. `usable_kwh` is what the maker certifies as usable.
    """

    model: str
    maker: str
    category: str
    purpose: str
    chemistry: str
    name: str
    part_number: str
    origin: str
    fleet_share: float
    made_from: int
    made_to: int
    voltage_min_v: float
    voltage_nominal_v: float
    voltage_max_v: float
    capacity_ah: float
    energy_kwh: float
    usable_kwh: float
    mass: float
    mass_unit: str
    length: float
    width: float
    height: float
    length_unit: str
    power_w: float
    power_20_w: float
    power_80_w: float
    resistance_cell_ohm: float
    resistance_module_ohm: float | None
    resistance_pack_ohm: float
    efficiency_percent: float
    efficiency_half_life_percent: float
    self_discharge_percent_per_month: float
    idle_min_c: float
    idle_max_c: float
    cycles: int
    test_depth_percent: float
    charge_rate_c: float
    discharge_rate_c: float
    life_years: int
    exhaustion_percent: float
    warranty: int
    warranty_unit: str
    cf_raw_material: float
    cf_main_production: float
    cf_distribution: float
    cf_end_of_life: float
    cf_class: str
    recycled_nickel: float
    recycled_cobalt: float
    recycled_lithium: float
    recycled_lead: float
    cell_share_percent: float
    housing: str
    cycles_per_year: float


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All tables of the demo, read once and handed on."""

    makers: Mapping[str, Maker]
    chemistries: Mapping[str, Chemistry]
    models: Mapping[str, BatteryModel]
    elements: tuple[ActiveElement, ...]
    ingredients: tuple[Ingredient, ...]
    hazards: tuple[Hazard, ...]

    @classmethod
    def load(cls, folder: Path = FOLDER) -> Self:
        """Read the tables of a folder.

        Raises
        ------
        BadTable
            If a column is missing, a cell does not read as its type, a model names a maker or a chemistry
            that is not there, or a hazardous substance is no ingredient.
        """
        catalogue = cls(
            makers=_by_key(rows(folder / "makers.csv", Maker), lambda maker: maker.maker),
            chemistries=_by_key(rows(folder / "chemistries.csv", Chemistry), lambda row: row.chemistry),
            models=_by_key(rows(folder / "models.csv", BatteryModel), lambda model: model.model),
            elements=rows(folder / "active.csv", ActiveElement),
            ingredients=rows(folder / "materials.csv", Ingredient),
            hazards=rows(folder / "hazards.csv", Hazard),
        )
        for model in catalogue.models.values():
            if model.maker not in catalogue.makers or model.chemistry not in catalogue.chemistries:
                raise BadTable(
                    f"models.csv, {model.model}: no maker {model.maker!r} in makers.csv or no chemistry "
                    f"{model.chemistry!r} in chemistries.csv. Add the row there."
                )
        for hazard in catalogue.hazards:
            if not any(
                (hazard.chemistry, hazard.identifier) == (row.chemistry, row.identifier)
                for row in catalogue.ingredients
            ):
                raise BadTable(
                    f"hazards.csv, {hazard.chemistry}: {hazard.name} is no ingredient of this chemistry, so "
                    "nobody knows how much of it there is. Add the row to materials.csv."
                )
        return catalogue

    def maker_of(self, model: BatteryModel) -> Maker:
        """Return who makes a model."""
        return self.makers[model.maker]

    def chemistry_of(self, model: BatteryModel) -> Chemistry:
        """Return what the chemistry of a model implies."""
        return self.chemistries[model.chemistry]


class _Row(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


_Record = TypeVar("_Record", bound=_Row)


def rows(path: Path, record: type[_Record]) -> tuple[_Record, ...]:
    """Read a CSV file whose columns are named as the fields of a dataclass, and are of their types."""
    readers = {field.name: _reader(field.type) for field in fields(record)}
    found = []
    for row in read_table(path, readers):
        values = {}
        for column, read in readers.items():
            try:
                values[column] = read(row[column])
            except ValueError as error:
                raise row.fault(column, f"Mend the cell ({error}) and load again.") from error
        found.append(record(**values))
    return tuple(found)


def _reader(kind: object) -> Callable[[str], Any]:
    """Return what turns the text of a cell into a value of a field's type."""
    readers: dict[object, Callable[[str], Any]] = {
        str: str,
        int: int,
        float: float,
        int | None: lambda text: int(text) if text else None,
        float | None: lambda text: float(text) if text else None,
        bool: _truth,
        date: date.fromisoformat,
        date | None: lambda text: date.fromisoformat(text) if text else None,
        datetime: datetime.fromisoformat,
        tuple[str, ...]: lambda text: tuple(text.split()),
    }
    return readers[kind]


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text == "true"


def _by_key(records: tuple[_Record, ...], key: Callable[[_Record], str]) -> Mapping[str, _Record]:
    return MappingProxyType({key(record): record for record in records})
