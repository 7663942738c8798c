"""Faults that a partner's payload cannot hold, but an update of the graph can."""

from dataclasses import replace
from datetime import date

import pytest

from battpass.kg.graphs import AccessClass, Finding
from battpass.kg.validation.validator import Validator
from tests.validation.graphs import findings, of_shapes, passport, sound, statements

QUANTITY = """
m: bp:ratedCapacity part:q ; bp:ratedCapacityAh 94.0 .
part:q a echem:electrochemistry_9b3b4668_0795_4a35_9965_2af383497a26 , emmo:EMMO_d8aa8e1f_b650_416d_88a0_5118de945456 ;
    emmo:EMMO_8ef3cd6d_ae58_4a8d_9fc0_ad8f49015cd0 part:v ; emmo:EMMO_bed1d005_b04e_4a90_94cf_02bc678a8569 emmo:AmpereHour .
part:v a emmo:EMMO_18d180e4_5e3e_42f7_820c_e08951223486 ; emmo:EMMO_faf79f53_749d_40b2_807c_d34244c192f4 94.0 .
"""  # noqa: E501

PREDICTION = """
<#battery> bp:predictedCapacity <#p> .
<#p> a bp:CapacityBasedStateOfHealth , emmo:EMMO_d0200cf1_e4f4_45ae_873f_b9359daea3cd ;
    emmo:EMMO_8ef3cd6d_ae58_4a8d_9fc0_ad8f49015cd0 <#p-value> ;
    emmo:EMMO_bed1d005_b04e_4a90_94cf_02bc678a8569 emmo:Percent ;
    bp:predictionInterval <#p-interval> ; bp:referenceQuantity part:q ;
    bp:validAt "2026-05-04T12:00:00Z"^^xsd:dateTime ; prov:wasGeneratedBy <#run> .
<#p-value> emmo:EMMO_faf79f53_749d_40b2_807c_d34244c192f4 91.3 .
<#p-interval> a bp:PredictionInterval ; bp:lower 88.9 ; bp:upper 93.4 ; bp:coverage 0.9 ;
    bp:method bp:SplitConformal .
<#run> a bp:PredictionRun ; prov:used <#trained> , <#data> ; prov:wasAssociatedWith <#service> ;
    prov:endedAtTime "2026-05-04T12:00:03Z"^^xsd:dateTime .
<#trained> a bp:TrainedModel ; schema:version "1.2.0" ; bp:sha256 "DIGEST" .
""".replace("DIGEST", "ab" * 32)


def only(found: list[Finding]) -> tuple[str, str, str]:
    """Return code, severity and field of the one finding."""
    assert len(found) == 1, [finding.text() for finding in found]
    return found[0].code, found[0].severity.value, found[0].field


def test_the_sound_passport_conforms_but_for_duties_ahead() -> None:
    found = findings(QUANTITY + PREDICTION, ["general", "quantities", "performance", "predictions"])

    assert not found, [finding.text() for finding in found]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("emmo:AmpereHour", "emmo:Volt"), ("wrong-unit", "violation", "Unit of a quantity")),
        (
            ("4a35_9965_2af383497a26", "4a35_9965_2af383497a27"),
            ("wrong-type", "violation", "Rated capacity"),
        ),
        (
            (" , emmo:EMMO_d8aa8e1f_b650_416d_88a0_5118de945456", ""),
            ("wrong-type", "violation", "Nature of a declared quantity"),
        ),
        (("c192f4 94.0", "c192f4 94.5e0"), ("wrong-type", "violation", "Number")),
        (("c192f4 94.0 .", "c192f4 94.0 , 95.0 ."), ("too-many", "violation", "Number")),
        ((" part:v ;", " part:v , part:t ;"), ("too-many", "violation", "Numerical part of a quantity")),
    ],
    ids=["unit", "class", "nature", "double", "two numbers", "two parts"],
)
def test_a_quantity_in_full_keeps_its_form(change: tuple[str, str], expected: tuple[str, str, str]) -> None:
    spare = "part:t emmo:EMMO_faf79f53_749d_40b2_807c_d34244c192f4 95.0 ."
    assert change[0] in QUANTITY
    found = findings(QUANTITY.replace(*change) + spare, ["quantities"])

    # Another number than that of the compact form contradicts it besides.
    assert only([finding for finding in found if finding.code != "contradiction"]) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("94.0 .\npart:q", '"94" .\npart:q'), ("wrong-type", "violation", "Rated capacity")),
        (("94.0 .\npart:q", "94.0 , 95.0 .\npart:q"), ("too-many", "violation", "Rated capacity")),
    ],
    ids=["text", "two values"],
)
def test_a_bare_number_keeps_its_form(change: tuple[str, str], expected: tuple[str, str, str]) -> None:
    assert change[0] in QUANTITY
    assert only(findings(QUANTITY.replace(*change), ["performance"])) == expected


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        (("bp:lower 88.9 ;", ""), "missing", "Lower bound"),
        (("bp:upper 93.4", "bp:upper 80.1"), "order", "Lower bound"),
        (("bp:coverage 0.9 ;", ""), "missing", "Level of the interval"),
        (("bp:coverage 0.9", "bp:coverage 90.0"), "out-of-range", "Level of the interval"),
        ((" ;\n    bp:method bp:SplitConformal", ""), "missing", "Method of the interval"),
        (("bp:predictionInterval <#p-interval> ;", ""), "missing", "Interval of a prediction"),
        (("bp:referenceQuantity part:q ;", ""), "missing", "Reference of a prediction"),
        (('bp:validAt "2026-05-04T12:00:00Z"^^xsd:dateTime ;', ""), "missing", "Time of a prediction"),
        ((" ; prov:wasGeneratedBy <#run>", ""), "missing", "Run of a prediction"),
        (("prov:used <#trained> ,", "prov:used"), "missing", "What a run used"),
        (('; bp:sha256 "' + "ab" * 32 + '"', ""), "missing", "Digest of a model"),
        (("ab" * 32, "ab" * 16), "ill-formed", "Digest of a model"),
        (("c192f4 91.3", "c192f4 71.3"), "order", "Interval of a prediction"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_prediction_is_never_a_bare_number(change: tuple[str, str], code: str, field: str) -> None:
    assert change[0] in PREDICTION
    found = findings(PREDICTION.replace(*change), ["predictions"])

    assert (code, field) in {(finding.code, finding.field) for finding in found}
    assert all(finding.severity == "violation" for finding in found)


@pytest.mark.parametrize(
    ("turtle", "files", "code", "field"),
    [
        (
            "m: bp:cfRawMaterialPercent 50.0 ; bp:cfMainProductionPercent 30.0 ; "
            "bp:cfDistributionPercent 10.0 ; bp:cfEndOfLifePercent 20.0 .",
            "carbon-footprint",
            "sum",
            "Share of raw material stage in the carbon footprint",
        ),
        (
            "m: bp:preConsumerCobaltPercent 60.0 ; bp:postConsumerCobaltPercent 60.0 .",
            "circularity",
            "sum",
            "Post-consumer recycled cobalt",
        ),
        (
            "m: bp:certifiedUsableEnergyKWh 80.0 ; bp:ratedEnergyKWh 50.0 .",
            "performance",
            "implausible",
            "Certified usable battery energy",
        ),
        (
            "<#battery> bp:measuredOperatingTemperatureMinimumCelsius 50.0 ; "
            "bp:measuredOperatingTemperatureMaximumCelsius -5.0 .",
            "performance",
            "order",
            "Lowest recorded operating temperature",
        ),
        (
            "<#battery> bp:serialIdentifier <#s-1> , <#s-2> . "
            "<#s-1> a schema:PropertyValue ; bp:position 1 ; schema:propertyID 'van' ; schema:value 'a' . "
            "<#s-2> a schema:PropertyValue ; bp:position 1 ; schema:propertyID 'batchId' ; "
            "schema:value 'b' .",
            "general",
            "duplicate",
            "Position in a list",
        ),
        ("<#battery> bp:batteryStatus bp:PassportDraft .", "general", "unknown-code", "Battery status"),
        ("<#battery> bp:batteryStatus 'original' .", "general", "unknown-code", "Battery status"),
        (
            "<#battery> bp:manufacturingDate '2026-02-30'^^xsd:date .",
            "general",
            "wrong-type",
            "Manufacturing date",
        ),
        ("<#battery> bp:model <urn:other> .", "general", "too-many", "Battery model"),
        (
            "m: bp:supplyChainIndex part:i . part:i schema:name 'Audit' .",
            "due-diligence",
            "missing",
            "Value of an index",
        ),
    ],
    ids=[
        "stages",
        "recycled",
        "certified",
        "temperatures",
        "positions",
        "scheme",
        "text",
        "date",
        "models",
        "index",
    ],
)
def test_a_fault_of_the_graph_is_found(turtle: str, files: str, code: str, field: str) -> None:
    found = findings(turtle, [files])

    assert (code, field) in {(one.code, one.field) for one in found}, [one.text() for one in found]


def test_residue_is_not_validated() -> None:
    plain = passport(sound())
    kept = {**plain.item_graphs, AccessClass.DOCUMENT: frozenset(statements("<> bp:operator 7 ."))}
    checker = Validator.load(date(2026, 11, 21), only=["general", "reference"])

    report = checker.validate(replace(plain, item_graphs=kept))
    assert of_shapes(report) == []
    assert report.findings == checker.validate(plain).findings
