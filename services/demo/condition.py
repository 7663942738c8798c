"""How worn a battery is: from three drawn numbers to all the measured figures of a passport.

Everything measured follows from the cycles done, the capacity lost and the growth of the resistance,
so the figures of one battery agree with each other: the fade in percent is the one between the
remaining and the rated value as they are printed.
"""

from dataclasses import dataclass
from math import sqrt

from battpass.services.demo.catalogue import BatteryModel, Chemistry

END_OF_LIFE_FADE = 20.0  # percent: makers count cycle life down to 80 % of the rated capacity
WORST_FADE = 62.0


@dataclass(frozen=True, slots=True)
class Resistance:
    """Internal resistance now, and its growth since new in percent."""

    ohm: float
    increase_percent: float


@dataclass(frozen=True, slots=True)
class Condition:
    """The measured figures of one battery, rounded as they are printed.

    Throughput counts what went in and what came out, as the description in `battery_pass` has it.
    """

    state_of_charge_percent: float
    full_cycles: int
    capacity_ah: float
    capacity_fade_percent: float
    throughput_ah: float
    throughput_kwh: float
    power_w: float
    power_fade_percent: float
    efficiency_percent: float
    efficiency_fade_percent: float
    energy_kwh: float
    certified_energy_percent: float
    self_discharge_percent_per_month: float
    pack: Resistance
    module: Resistance | None
    cell: Resistance

    @classmethod
    def of(
        cls,
        model: BatteryModel,
        chemistry: Chemistry,
        cycles: int,
        fade_percent: float,
        rise_percent: float,
        charge_percent: float,
    ) -> "Condition":
        """Derive all figures of a battery that has lost `fade_percent` of its rated capacity.

        `rise_percent` is the growth of the internal resistance. Power and round-trip efficiency fall
        with it; usable energy falls with the capacity and, less, with the voltage lost on it.
        """
        capacity = _round_like(model.capacity_ah, model.capacity_ah * (1 - fade_percent / 100))
        power = round(model.power_w / (1 + 0.0075 * rise_percent), 0 if model.power_w < 5000 else -2)
        loss = (100 - model.efficiency_percent) * 0.008 * rise_percent
        efficiency = round(model.efficiency_percent - loss, 1)
        # Cells give their charge a little under nominal voltage once they are loaded.
        delivered_kwh = cycles * model.capacity_ah * model.voltage_nominal_v * 0.000985
        mean_efficiency = (model.efficiency_percent + efficiency) / 200
        energy_fade = fade_percent + 0.03 * rise_percent
        energy = _round_like(model.usable_kwh, model.usable_kwh * (1 - energy_fade / 100))
        module = model.resistance_module_ohm
        return cls(
            state_of_charge_percent=charge_percent,
            full_cycles=cycles,
            capacity_ah=capacity,
            capacity_fade_percent=_fade(capacity, model.capacity_ah),
            throughput_ah=round(cycles * model.capacity_ah * (1 + chemistry.charge_factor), 1),
            throughput_kwh=round(delivered_kwh * (1 + 1 / mean_efficiency), 1),
            power_w=power,
            power_fade_percent=_fade(power, model.power_w),
            efficiency_percent=efficiency,
            efficiency_fade_percent=_fade(efficiency, model.efficiency_percent),
            energy_kwh=energy,
            certified_energy_percent=round(100 * energy / model.usable_kwh, 1),
            self_discharge_percent_per_month=round(
                model.self_discharge_percent_per_month * (1 + 0.012 * fade_percent), 2
            ),
            pack=_grown(model.resistance_pack_ohm, rise_percent),
            module=None if module is None else _grown(module, 0.97 * rise_percent),
            cell=_grown(model.resistance_cell_ohm, 0.94 * rise_percent),
        )


def fade_percent(
    model: BatteryModel, chemistry: Chemistry, years: float, cycles: float, stress: float
) -> float:
    """Return the capacity lost after some years and cycles, in percent of the rated capacity.

    Calendar ageing grows with the square root of time, ageing by use almost with the cycles, so that
    the rated number of cycles uses up 20 %. `stress` (1 is usual) stands for heat and rough use.

    >>> from battpass.services.demo.catalogue import Catalogue
    >>> catalogue = Catalogue.load()
    >>> model = catalogue.models["ev-lfp-60"]
    >>> round(fade_percent(model, catalogue.chemistry_of(model), years=4, cycles=220, stress=1.0), 1)
    4.8
    """
    calendar = chemistry.calendar_fade_percent * sqrt(max(years, 0.0))
    cyclic = END_OF_LIFE_FADE * float((cycles / model.cycles) ** 0.95)
    return min(stress * (calendar + cyclic), WORST_FADE)


def _grown(new_ohm: float, rise_percent: float) -> Resistance:
    ohm = round(new_ohm * (1 + rise_percent / 100), 6)
    return Resistance(ohm, round(100 * (ohm / new_ohm - 1), 1))


def _fade(now: float, new: float) -> float:
    return round(100 * (1 - now / new), 2)


def _round_like(scale: float, value: float) -> float:
    """Round to about four digits of the scale that the value lives on."""
    return round(value, 3 if scale < 5 else 2 if scale < 100 else 1)
