"""The parts of a payload that all batteries of a model share."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from battpass.services.demo.catalogue import BatteryModel, Catalogue, Chemistry, Maker
from battpass.services.demo.documents import PDF, Documents
from battpass.services.demo.material_sections import materials

Json: TypeAlias = Any
FOOTPRINT_UNIT = "kg CO2 / kWh"
TEST_TEMPERATURE_C = 25.0
SVG = "image/svg+xml"
HTML = "text/html"


@dataclass(frozen=True, slots=True)
class ModelSections:
    """Ready-made sections; `materials` and the rest are trees that the builder copies."""

    category: str
    chemistry: str
    type: Json
    codes: Json
    classification: Json
    plants: tuple[str, ...]
    manufacturer: str
    characteristics: Json
    sustainability_documents: Json
    carbon_footprint: Json
    materials: Json
    rated: Json
    conformity: Json
    safety: Json
    sources: Json
    handling: Json


def model_sections(model: BatteryModel, catalogue: Catalogue) -> ModelSections:
    """Build the sections of one model from the tables."""
    maker = catalogue.maker_of(model)
    chemistry = catalogue.chemistry_of(model)
    documents = Documents(maker.domain, model.model)
    return ModelSections(
        category=model.category,
        chemistry=model.chemistry,
        type={"manufacturerPartId": model.part_number, "nameAtManufacturer": model.name},
        codes=[{"key": "CN", "value": chemistry.cn_code}],
        classification=_classification(chemistry),
        plants=maker.plants,
        manufacturer=maker.bpnl,
        characteristics=_characteristics(model),
        sustainability_documents=_sustainability_documents(maker, documents),
        carbon_footprint=_carbon_footprint(model, maker, documents),
        materials=materials(model, catalogue, documents),
        rated=_rated(model, documents),
        conformity=_conformity(model, documents),
        safety=_safety(chemistry, documents),
        sources=_sources(documents),
        handling=_handling(model, maker, catalogue),
    )


def _classification(chemistry: Chemistry) -> Json:
    return [
        {
            "classificationStandard": "UN Model Regulations on the Transport of Dangerous Goods",
            "classificationID": chemistry.un_number,
            "classificationDescription": chemistry.un_description,
        }
    ]


def _characteristics(model: BatteryModel) -> Json:
    return {
        "warranty": {"lifeValue": model.warranty, "lifeUnit": model.warranty_unit},
        "physicalDimension": {
            "height": {"value": model.height, "unit": model.length_unit},
            "length": {"value": model.length, "unit": model.length_unit},
            "width": {"value": model.width, "unit": model.length_unit},
            "weight": {"value": model.mass, "unit": model.mass_unit},
        },
    }


def _sustainability_documents(maker: Maker, documents: Documents) -> Json:
    duties = {
        "separateCollection": [
            *documents.of_maker("How to hand in this battery for separate collection", "collection", HTML),
            *documents.of_maker("Symbol: crossed-out wheeled bin", "marks/separate-collection.svg", SVG),
        ],
        "wastePrevention": documents.of_maker("How users help to prevent waste", "waste-prevention", HTML),
    }
    if not maker.reports:
        return duties
    return duties | {
        "euTaxonomyDisclosureStatement": documents.of_maker("EU taxonomy disclosure", "taxonomy.pdf"),
        "sustainabilityReport": documents.of_maker("Sustainability report", "sustainability.pdf"),
    }


def _carbon_footprint(model: BatteryModel, maker: Maker, documents: Documents) -> Json:
    stages = {
        "raw material acquisition and pre-processing": model.cf_raw_material,
        "main product production": model.cf_main_production,
        "distribution": model.cf_distribution,
        "end of life and recycling": model.cf_end_of_life,
    }
    stages["whole life cycle"] = round(sum(stages.values()), 4)
    return [
        {
            "value": value,
            "rulebook": documents.of_model("Public carbon footprint study", "carbon-footprint.pdf"),
            "lifecycle": stage,
            "unit": FOOTPRINT_UNIT,
            "type": "Climate Change Total",
            "performanceClass": model.cf_class,
            "manufacturingPlant": [{"facility": plant} for plant in maker.plants],
            "declaration": documents.of_model(
                f"Carbon footprint label, class {model.cf_class}", "carbon-footprint-label.svg", SVG
            ),
        }
        for stage, value in stages.items()
    ]


def _rated(model: BatteryModel, documents: Documents) -> Json:
    resistance = {"cell": model.resistance_cell_ohm}
    if model.resistance_module_ohm is not None:
        resistance["module"] = model.resistance_module_ohm
    return {
        "voltage": {
            "min": model.voltage_min_v,
            "max": model.voltage_max_v,
            "nominal": model.voltage_nominal_v,
            "temperature": TEST_TEMPERATURE_C,
        },
        "roundTripEfficiency": {
            "initial": model.efficiency_percent,
            "50PercentLife": model.efficiency_half_life_percent,
            "depthOfDischarge": model.test_depth_percent,
            "temperature": TEST_TEMPERATURE_C,
        },
        "energy": {"value": model.energy_kwh, "temperature": TEST_TEMPERATURE_C},
        "resistance": {
            **resistance,
            "pack": model.resistance_pack_ohm,
            "temperature": TEST_TEMPERATURE_C,
        },
        "power": {
            "value": model.power_w,
            "at20SoC": model.power_20_w,
            "at80SoC": model.power_80_w,
            "temperature": TEST_TEMPERATURE_C,
        },
        "capacity": {
            "value": model.capacity_ah,
            "thresholdExhaustion": model.exhaustion_percent,
            "temperature": TEST_TEMPERATURE_C,
        },
        "performanceDocument": documents.of_model("Data sheet", "data-sheet.pdf"),
        "testReport": documents.of_model("Report of the electrical type tests", "type-test.pdf"),
        "temperature": {"lower": model.idle_min_c, "upper": model.idle_max_c},
        "selfDischargingRate": model.self_discharge_percent_per_month,
        "lifetime": {
            "expectedYears": model.life_years,
            "report": documents.of_model("Cycle-life reference test", "cycle-life.pdf"),
            "cycleLifeTesting": {
                "temperature": TEST_TEMPERATURE_C,
                "cycles": model.cycles,
                "depthOfDischarge": model.test_depth_percent,
                "appliedChargeRate": model.charge_rate_c,
                "appliedDischargeRate": model.discharge_rate_c,
            },
        },
    }


def _conformity(model: BatteryModel, documents: Documents) -> Json:
    return {
        "declarationOfConformityId": f"DoC-{model.part_number}",
        "declarationOfConformity": documents.of_model("EU declaration of conformity", "declaration.pdf"),
        "resultOfTestReport": documents.of_model("Results of the conformity tests", "conformity-tests.pdf"),
        "thirdPartyAssurance": documents.of_maker("Certificate of responsible sourcing", "assurance.pdf"),
        "dueDiligencePolicy": documents.of_maker("Report on supply chain due diligence", "due-diligence.pdf"),
    }


def _safety(chemistry: Chemistry, documents: Documents) -> Json:
    return {
        "usableExtinguishAgent": [
            {
                "media": chemistry.agent,
                "fireClass": chemistry.fire_class,
                "document": documents.of_model("Leaflet for rescue services", "rescue.pdf"),
            }
        ],
        "safetyMeasures": documents.of_model("Safety instructions", "safety.pdf"),
        "meaningOfLabels": documents.of_maker("What the marks on the battery mean", "marks", HTML),
        "safeDischarging": documents.of_model("How to discharge before treatment", "discharging.pdf"),
        "dismantling": documents.of_model("Manual for disassembly", "disassembly.pdf"),
        "removalFromAppliance": documents.of_model("Manual for removal", "removal.pdf"),
    }


def _sources(documents: Documents) -> Json:
    def source(header: str, category: str, name: str, kind: str) -> Json:
        link = documents.of_model(header, name)[0]["content"]
        return {"content": link, "category": category, "type": kind, "header": header}

    return [
        source("Data sheet", "Product Specifications", "data-sheet.pdf", PDF),
        source("Take-back points, second life and treatment", "End of Life", "end-of-life", HTML),
        source("Service and repair", "Repair and Installation", "service", HTML),
    ]


def _handling(model: BatteryModel, maker: Maker, catalogue: Catalogue) -> Json:
    """Spare parts come from the maker, those of second-life batteries also from who made them first."""
    first = catalogue.models.get(model.origin)
    sellers = [maker] if first is None else [maker, catalogue.maker_of(first)]
    stem = model.part_number.rsplit("-", 1)[0]
    if model.chemistry == "lead-acid":  # no housing to seal, and no unit that balances cells
        parts = [("MON", "Battery monitor"), ("FUS", "Main fuse"), ("PLG", "Set of vent plugs")]
    else:
        parts = [("BMS", "Battery management unit"), ("FUS", "Main fuse"), ("SEA", "Housing seal")]
    if model.resistance_module_ohm is not None:
        parts.append(("MOD", "Module, complete"))
    return {
        "applicable": True,
        "content": {
            "producer": [{"id": seller.bpnl} for seller in sellers],
            "sparePart": [
                {"manufacturerPartId": f"{stem}-{code}", "nameAtManufacturer": name} for code, name in parts
            ],
        },
    }
