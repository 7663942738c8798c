"""What is said of values that a document holds and the mapping cannot take, in English and German."""

from battpass.kg.graphs import Finding, Severity
from battpass.kg.tables import Labels

AN_OBJECT = Labels("an object", "ein Objekt")
AN_ARRAY = Labels("an array", "ein Array")
A_TEXT = Labels("a text", "ein Text")
A_NUMBER = Labels("a number", "eine Zahl")
A_TRUTH = Labels("true or false", "true oder false")
AN_IDENTIFIER = Labels("an identifier of letters and digits", "eine Kennung aus Buchstaben und Ziffern")
PLAIN_TEXT = Labels("text without NUL and unpaired surrogates", "Text ohne NUL und ungepaarte Surrogate")
A_UNIT = Labels("the name of a unit", "der Name einer Einheit")
NO_UNIT = Labels("no unit", "keine Einheit")

KNOWN_MEMBERS = Labels("the members of this format", "die Felder dieses Formats")
KEPT = Labels(
    "It is kept and given back, but nothing here understands it.",
    "Es bleibt erhalten und kommt zurück, aber nichts hier versteht es.",
)
USE_A_CODE = Labels("Use one of the allowed codes.", "Nehmen Sie einen der erlaubten Codes.")
TEXT_KEPT = Labels(
    "The text is kept; use a listed name to have it found under its concept.",
    "Der Text bleibt erhalten; mit einem der Namen findet man ihn unter seinem Begriff.",
)
A_DATE = Labels("a calendar date such as 2027-02-18", "ein Kalendertag wie 2027-02-18")
WRITE_A_DATE = Labels("Write the date as year-month-day.", "Schreiben Sie Jahr-Monat-Tag.")
A_TIME = Labels("a time such as 2027-02-18T08:00:00Z", "eine Zeit wie 2027-02-18T08:00:00Z")
WRITE_A_TIME = Labels("Write date, time and zone.", "Schreiben Sie Tag, Uhrzeit und Zone.")
SOME_NUMBERS = Labels(
    "numbers below 1.7e20 with at most 18 decimal places",
    "Zahlen unter 1.7e20 mit höchstens 18 Nachkommastellen",
)
CHECK_NUMBER = Labels(
    "Check the number; no battery needs this one.", "Prüfen Sie die Zahl; keine Batterie braucht diese."
)
FEWER_PLACES = Labels(
    "State the value with fewer decimal places.", "Nennen Sie den Wert mit weniger Nachkommastellen."
)
USE_A_UNIT = Labels(
    "State the value in one of these units.", "Nennen Sie den Wert in einer dieser Einheiten."
)
SPELL_THE_UNIT = Labels(
    "State the unit by one of its known spellings; a value without unit is kept, not used.",
    "Nennen Sie die Einheit in einer bekannten Schreibung; ohne Einheit bleibt der Wert ungenutzt.",
)


def alike(text: str) -> Labels:
    """Return a text that is the same in both languages."""
    return Labels(text, text)


def send(wanted: Labels) -> Labels:
    """Return what to do about a value of another kind than the one that is wanted."""
    return Labels(
        f"Send {wanted.en} here; what came is kept, but not understood.",
        f"Hierher gehört {wanted.de}; was kam, bleibt erhalten, wird aber nicht verstanden.",
    )


def finding(
    code: str,
    severity: Severity,
    pointer: str,
    field: Labels,
    found: Labels | str,
    allowed: Labels,
    mend: Labels,
) -> Finding:
    """Return a finding of a format, in both languages."""
    what = alike(found) if isinstance(found, str) else found
    return Finding(
        code,
        severity,
        field.en,
        pointer,
        what.en,
        allowed.en,
        mend.en,
        field_de=field.de,
        found_de=what.de,
        allowed_de=allowed.de,
        mend_de=mend.de,
    )
