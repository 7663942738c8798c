"""The materials section of a payload: active materials, hazardous substances, composition by mass."""

from typing import Any, TypeAlias

from battpass.services.demo.catalogue import BatteryModel, Catalogue, Ingredient
from battpass.services.demo.documents import Documents

Json: TypeAlias = Any
PPM = "unit:partPerMillion"
PERCENT = "unit:percent"
IN_ONE_PERCENT = {PERCENT: 1, "unit:partPerThousand": 10}

# battery_pass has these four always, so a battery without them says so; none is ever left out.
NAMED = ("nickel", "lithium", "cobalt", "lead")
ABSENT = "not in the active materials"
# Traces that material declarations of cells give; the limit for mercury is 5 ppm, for cadmium 20 ppm.
TRACES = {"cadmium": 0.5, "mercury": 0.1, "lead": 4.0}
# Mass beside the cells: most of it housing, some of it copper in busbars and cables.
HOUSING_SHARE, COPPER_SHARE = 0.7, 0.12
HOUSINGS = {
    "aluminium": Ingredient("", "housing", "aluminium", "CAS", "7429-90-5", 100.0, True, 0.0, 45.0),
    "steel": Ingredient("", "housing", "iron", "CAS", "7439-89-6", 100.0, False, 0.0, 35.0),
    "polypropylene": Ingredient("", "housing", "polypropylene", "CAS", "9003-07-0", 100.0, False, 10.0, 40.0),
}
CABLES = Ingredient("", "busbars and cables", "copper", "CAS", "7440-50-8", 100.0, True, 0.0, 30.0)


def materials(model: BatteryModel, catalogue: Catalogue, documents: Documents) -> Json:
    """Return the section of a model; its shares by mass add up to less than 100 %."""
    sheet = documents.of_model("Material declaration", "materials.pdf")
    return {
        "active": _active(model, catalogue, sheet, documents),
        "hazardous": _hazardous(model, catalogue, sheet, documents),
        "composition": _composition(model, catalogue, sheet),
    }


def _active(model: BatteryModel, catalogue: Catalogue, sheet: Json, documents: Documents) -> Json:
    elements = [row for row in catalogue.elements if row.chemistry == model.chemistry]
    contained = {row.element: row for row in elements}
    recycled = {
        "nickel": model.recycled_nickel,
        "lithium": model.recycled_lithium,
        "cobalt": model.recycled_cobalt,
        "lead": model.recycled_lead,
    }
    active: dict[str, Json] = {
        name: {
            "location": "active materials" if name in contained else ABSENT,
            "recycled": recycled[name],
            "critical": name in contained and contained[name].critical,
            "documentation": sheet,
        }
        for name in NAMED
    }
    active["lead"] |= {
        "impactOfSubstances": documents.of_maker("Lead: effects and handling", "substances/lead.pdf"),
        "concentration": _lead_percent(model, catalogue) or TRACES["lead"],
        "materialUnit": PERCENT if "lead" in contained else PPM,
    }
    others = [row for row in elements if row.element not in NAMED]
    if others:
        active["other"] = [
            {
                "location": "active materials",
                "recycled": 0.0,
                "critical": row.critical,
                "documentation": sheet,
                "materialIdentification": [{"id": row.cas, "type": "CAS", "name": row.element}],
            }
            for row in others
        ]
    return active


def _hazardous(model: BatteryModel, catalogue: Catalogue, sheet: Json, documents: Documents) -> Json:
    lead = _lead_percent(model, catalogue)
    hazardous: dict[str, Json] = {
        name: {
            "concentration": (lead or trace) if name == "lead" else trace,
            "materialUnit": PERCENT if lead and name == "lead" else PPM,
            "location": "plates" if lead and name == "lead" else "solder and traces",
            "critical": False,
            "documentation": sheet,
            "impactOfSubstances": documents.of_maker(
                f"{name.capitalize()}: effects and handling", f"substances/{name}.pdf"
            ),
        }
        for name, trace in TRACES.items()
    }
    hazardous["lead"]["recycled"] = model.recycled_lead
    rows = [row for row in catalogue.hazards if row.chemistry == model.chemistry]
    if rows:
        hazardous["other"] = [
            {
                "concentration": round(
                    IN_ONE_PERCENT[row.unit] * _percent(row.identifier, model, catalogue), 1
                ),
                "materialUnit": row.unit,
                "location": row.location,
                "critical": row.critical,
                "documentation": sheet,
                "impactOfSubstances": documents.of_maker(row.effect, f"substances/{row.identifier}.pdf"),
                "materialIdentification": [{"id": row.identifier, "type": row.id_type, "name": row.name}],
            }
            for row in rows
        ]
    return hazardous


def _composition(model: BatteryModel, catalogue: Catalogue, sheet: Json) -> Json:
    beside = 100 - model.cell_share_percent
    shares = [
        (row, row.cell_percent * model.cell_share_percent / 100)
        for row in catalogue.ingredients
        if row.chemistry == model.chemistry
    ]
    shares += [(HOUSINGS[model.housing], beside * HOUSING_SHARE), (CABLES, beside * COPPER_SHARE)]
    return [
        {
            "unit": PERCENT,
            "recycled": row.recycled_percent,
            "critical": row.critical,
            "renewable": row.renewable_percent,
            "documentation": sheet,
            "concentration": round(percent, 1),
            "location": row.location,
            "id": [{"id": row.identifier, "type": row.id_type, "name": row.name}],
        }
        for row, percent in shares
    ]


def _lead_percent(model: BatteryModel, catalogue: Catalogue) -> float:
    """Return the metallic lead in the plates, 0 for all chemistries but lead-acid."""
    return round(_percent("7439-92-1", model, catalogue), 1)


def _percent(identifier: str, model: BatteryModel, catalogue: Catalogue) -> float:
    """Return the share of an ingredient of the cells in the mass of the whole battery."""
    share = sum(
        row.cell_percent
        for row in catalogue.ingredients
        if (row.chemistry, row.identifier) == (model.chemistry, identifier)
    )
    return share * model.cell_share_percent / 100
