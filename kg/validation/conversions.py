"""What to do about a quantity in a unit that its field does not have: the conversion, where there is one."""

from decimal import Decimal
from fractions import Fraction

from battpass.kg.errors import UnknownUnit
from battpass.kg.ontology.units import Unit, UnitTable
from battpass.kg.tables import Labels
from battpass.kg.validation.phrases import amount, unit_in_words

_DIGITS = 12


def conversion(found: str, wanted: str, number: Decimal | None, units: UnitTable) -> Labels:
    """Return how a value in one unit is put into another; nothing where the table lacks one of them.

    >>> conversion("emmo:Watthour", "emmo:KiloWatthour", Decimal("82300"), UnitTable.load()).en
    'Wh given, kWh expected: divide by 1000, as 82300 Wh are 82.3 kWh.'
    >>> conversion("emmo:Volt", "emmo:AmpereHour", None, UnitTable.load()).en
    'V given, Ah expected: the one does not convert into the other.'
    """
    try:
        source, target = units.unit(found), units.unit(wanted)
    except UnknownUnit:
        return Labels("", "")
    given, expected = unit_in_words(source), unit_in_words(target)
    heads = Labels(
        f"{given.en} given, {expected.en} expected: ", f"{given.de} angegeben, {expected.de} erwartet: "
    )
    if source.kind != target.kind:
        return Labels(
            f"{heads.en}the one does not convert into the other.",
            f"{heads.de}Das eine lässt sich nicht in das andere umrechnen.",
        )
    steps = _steps(source, target)
    if number is None:
        return Labels(*(f"{head}{step}." for head, step in zip(heads, steps, strict=True)))
    before = amount(str(number), source)
    after = amount(_shown(Fraction(units.convert(number, found, wanted))), target)
    return Labels(
        f"{heads.en}{steps.en}, as {before.en} are {after.en}.",
        f"{heads.de}{steps.de}, denn {before.de} sind {after.de}.",
    )


def _steps(source: Unit, target: Unit) -> Labels:
    """Return the conversion as steps of arithmetic."""
    factor = source.factor / target.factor
    # target = (source + shift) * factor
    shift = source.offset - target.offset / factor
    english, german = [], []
    if shift > 0:
        english.append(f"add {_shown(shift)}")
        german.append(f"{_shown(shift)} addieren")
    elif shift < 0:
        english.append(f"subtract {_shown(-shift)}")
        german.append(f"{_shown(-shift)} subtrahieren")
    if factor > 1:
        english.append(f"multiply by {_shown(factor)}")
        german.append(f"mit {_shown(factor)} multiplizieren")
    elif factor < 1:
        english.append(f"divide by {_shown(1 / factor)}")
        german.append(f"durch {_shown(1 / factor)} teilen")
    if not english:
        return Labels("the number stays the same", "Die Zahl bleibt gleich")
    return Labels(" and ".join(english), " und ".join(german))


def _shown(number: Fraction) -> str:
    """Return a number in plain digits, rounded where it has no end."""
    shown = f"{Decimal(number.numerator) / Decimal(number.denominator):.{_DIGITS}g}"
    return f"{Decimal(shown):f}"
