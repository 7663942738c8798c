"""The fictive batteries could exist: their figures agree with each other and with physics."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from battpass.kg.errors import BadTable
from battpass.services.demo.catalogue import FOLDER, BatteryModel, Catalogue, Ingredient, Maker, rows
from battpass.services.demo.condition import Condition, fade_percent

CATALOGUE = Catalogue.load()
KILOGRAMS = {
    "unit:kilogram": 1.0,
    "unit:gram": 0.001,
    "unit:tonneMetricTon": 1000.0,
    "unit:pound": 0.45359237,
}
# Open-circuit windows of single cells, in volts, and what packs of them reach, in Wh/kg.
CELL_VOLTAGE = {"LTO": (1.9, 2.5), "lead-acid": (1.9, 2.2), "Na-ion": (2.9, 3.3), "LFP": (3.1, 3.4)}
SPECIFIC_ENERGY = {"LTO": (45, 90), "lead-acid": (20, 45), "Na-ion": (70, 140), "LFP": (80, 180)}

every_model = pytest.mark.parametrize("model", CATALOGUE.models.values(), ids=lambda model: model.model)


def test_the_catalogue_covers_categories_and_chemistries() -> None:
    models = CATALOGUE.models.values()
    assert len(models) >= 24
    assert {model.category for model in models} == {"EV", "LMT", "industrial"}
    assert {model.chemistry for model in models} == {
        *("LFP", "NMC111", "NMC532", "NMC622", "NMC811", "NCA", "LCO", "LMO", "LTO", "Na-ion", "lead-acid")
    }
    assert sum(model.purpose == "stationary energy storage" for model in models) >= 6


@every_model
def test_energy_is_voltage_times_capacity(model: BatteryModel) -> None:
    assert model.energy_kwh == pytest.approx(model.voltage_nominal_v * model.capacity_ah / 1000, rel=0.05)
    assert 0.5 * model.energy_kwh < model.usable_kwh <= model.energy_kwh


@every_model
def test_voltages_are_a_whole_number_of_cells(model: BatteryModel) -> None:
    low, high = CELL_VOLTAGE.get(model.chemistry, (3.5, 3.8))
    assert model.voltage_min_v < model.voltage_nominal_v < model.voltage_max_v
    cells = [n for n in range(1, 500) if low <= model.voltage_nominal_v / n <= high]
    assert cells, f"no number of {model.chemistry} cells gives {model.voltage_nominal_v} V"


@every_model
def test_mass_fits_the_energy(model: BatteryModel) -> None:
    low, high = SPECIFIC_ENERGY.get(model.chemistry, (50, 200))
    kilograms = model.mass * KILOGRAMS[model.mass_unit]
    assert low <= model.energy_kwh * 1000 / kilograms <= high
    assert model.category != "LMT" or kilograms <= 25, "Art. 3: no more than 25 kg"
    assert model.category != "industrial" or model.energy_kwh > 2, "Art. 77: over 2 kWh"


@every_model
def test_power_passes_through_the_resistance(model: BatteryModel) -> None:
    most = model.voltage_nominal_v**2 / (4 * model.resistance_pack_ohm)
    lost = model.power_w * model.resistance_pack_ohm / model.voltage_nominal_v**2
    assert model.power_w < most and lost < 0.2
    assert 0 < model.power_20_w < model.power_80_w <= model.power_w
    assert 0.0001 <= model.resistance_cell_ohm < model.resistance_pack_ohm
    if model.resistance_module_ohm is not None:
        assert model.resistance_module_ohm < model.resistance_pack_ohm


@every_model
def test_life_figures_are_in_order(model: BatteryModel) -> None:
    assert 50 <= model.efficiency_half_life_percent < model.efficiency_percent < 100
    assert model.idle_min_c < 0 < 35 < model.idle_max_c
    assert 300 <= model.cycles <= 25_000 and 4 <= model.life_years <= 25
    assert 50 <= model.exhaustion_percent <= 80
    assert model.made_from <= model.made_to <= 2026
    stages = (model.cf_raw_material, model.cf_main_production, model.cf_distribution, model.cf_end_of_life)
    assert all(stage > 0 for stage in stages) and sum(stages) < 0.5
    assert model.cf_class in "ABCDE"


@every_model
def test_second_life_follows_a_first_one(model: BatteryModel) -> None:
    if model.origin:
        first = CATALOGUE.models[model.origin]
        assert first.chemistry == model.chemistry and model.capacity_ah < first.capacity_ah
        assert model.made_from >= first.made_from + 3


@pytest.mark.parametrize("maker", CATALOGUE.makers.values(), ids=lambda maker: maker.maker)
def test_makers_have_numbers_of_the_right_form_and_no_real_domain(maker: Maker) -> None:
    assert re.fullmatch(r"BPNL[a-zA-Z0-9]{12}", maker.bpnl)
    assert maker.plants and all(re.fullmatch(r"BPNA[a-zA-Z0-9]{12}", plant) for plant in maker.plants)
    assert maker.domain.endswith(".example"), "RFC 2606 keeps .example free for this"


def identifiers() -> Iterator[tuple[str, str]]:
    for row in (*CATALOGUE.ingredients, *CATALOGUE.hazards):
        yield row.id_type, row.identifier
    for element in CATALOGUE.elements:
        yield "CAS", element.cas


@pytest.mark.parametrize(("kind", "identifier"), sorted(set(identifiers())))
def test_registry_numbers_have_a_true_check_digit(kind: str, identifier: str) -> None:
    digits = [int(digit) for digit in identifier if digit.isdigit()]
    if kind == "CAS":
        weighted = sum(place * digit for place, digit in enumerate(reversed(digits[:-1]), start=1))
        assert re.fullmatch(r"\d{2,7}-\d\d-\d", identifier) and weighted % 10 == digits[-1]
    if kind == "EC":
        weighted = sum(place * digit for place, digit in enumerate(digits[:-1], start=1))
        assert re.fullmatch(r"\d{3}-\d{3}-\d", identifier) and weighted % 11 == digits[-1]


@pytest.mark.parametrize("chemistry", CATALOGUE.chemistries)
def test_materials_of_a_cell_stay_below_its_mass(chemistry: str) -> None:
    shares = [row.cell_percent for row in CATALOGUE.ingredients if row.chemistry == chemistry]
    assert 85 <= sum(shares) <= 100


def test_fade_grows_with_time_use_and_stress() -> None:
    model = CATALOGUE.models["ev-lfp-60"]
    chemistry = CATALOGUE.chemistry_of(model)
    usual = fade_percent(model, chemistry, years=5, cycles=300, stress=1.0)
    assert fade_percent(model, chemistry, years=0, cycles=0, stress=1.0) == 0
    assert usual < fade_percent(model, chemistry, years=6, cycles=300, stress=1.0)
    assert usual < fade_percent(model, chemistry, years=5, cycles=400, stress=1.0)
    assert usual < fade_percent(model, chemistry, years=5, cycles=300, stress=1.2)
    assert fade_percent(model, chemistry, years=0, cycles=model.cycles, stress=1.0) == pytest.approx(20)


def test_a_new_battery_has_lost_nothing() -> None:
    model = CATALOGUE.models["sta-lfp-10"]
    chemistry = CATALOGUE.chemistry_of(model)
    new = Condition.of(model, chemistry, cycles=0, fade_percent=0.0, rise_percent=0.0, charge_percent=40.0)
    assert new.capacity_ah == model.capacity_ah and new.capacity_fade_percent == 0
    assert new.power_w == model.power_w and new.pack.ohm == model.resistance_pack_ohm
    assert new.energy_kwh == model.usable_kwh and new.certified_energy_percent == 100


def test_a_bad_cell_is_named_with_file_and_line(tmp_path: Path) -> None:
    text = (FOLDER / "materials.csv").read_text(encoding="utf-8")
    (tmp_path / "materials.csv").write_text(text.replace(",34.0,", ",much,"), encoding="utf-8")
    with pytest.raises(BadTable, match=r"materials\.csv, line 2, column cell_percent: found 'much'"):
        rows(tmp_path / "materials.csv", Ingredient)


def test_a_model_of_an_unknown_maker_is_refused(tmp_path: Path) -> None:
    for table in FOLDER.glob("*.csv"):
        text = table.read_text(encoding="utf-8")
        (tmp_path / table.name).write_text(text.replace(",fictavolt,", ",nobody,"), encoding="utf-8")
    with pytest.raises(BadTable, match="no maker 'nobody'"):
        Catalogue.load(tmp_path)


def test_a_hazardous_substance_that_is_no_ingredient_is_refused(tmp_path: Path) -> None:
    for table in FOLDER.glob("*.csv"):
        text = table.read_text(encoding="utf-8")
        changed = text.replace("21324-40-3", "96-49-1") if table.name == "materials.csv" else text
        (tmp_path / table.name).write_text(changed, encoding="utf-8")
    with pytest.raises(BadTable, match=r"hazards\.csv, LFP: lithium hexafluorophosphate is no ingredient"):
        Catalogue.load(tmp_path)


def test_throughput_counts_what_went_in_and_what_came_out() -> None:
    model = CATALOGUE.models["sta-lead-29"]
    worn = Condition.of(model, CATALOGUE.chemistry_of(model), 100, 0.0, 0.0, 40.0)
    # 600 Ah out and, at a charge factor of 1.15, 690 Ah in; 28.4 kWh out and, at 79.4 %, 35.7 kWh in.
    assert worn.throughput_ah == 100 * (600 + 690)
    assert worn.throughput_kwh == pytest.approx(100 * (28.4 + 35.7), rel=0.002)


def test_models_of_one_chemistry_differ() -> None:
    models = [replace(model, model="", fleet_share=0) for model in CATALOGUE.models.values()]
    assert len({repr(model) for model in models}) == len(models)
