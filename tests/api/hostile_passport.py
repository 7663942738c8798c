"""A passport document full of text that a careless page would run, link to or follow."""

from tests.api.conftest import changed, example

# Each would leave a mark in window.marked, or call an address that no page may call.
SCRIPTS = (
    "<script>window.marked = 1</script>",
    "<img src=x onerror='window.marked = 2'>",
    '"><svg onload="window.marked = 3">',
    "</title><script>window.marked = 4</script>",
    "{{ 7 * 7 }}{% for x in y %}",
    "<style>body { display: none }</style>",
    "<iframe src='https://evil.example/'></iframe>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv='refresh' content='0; url=https://evil.example/'>",
    "]]><!--",
)
LINKS = (
    "javascript:window.marked = 5",
    "JaVaScRiPt:window.marked = 6",
    "data:text/html,<script>window.marked = 7</script>",
    "vbscript:msgbox(1)",
    "java\tscript:window.marked = 8",
    " javascript:window.marked = 9",
    "//evil.example/",
    "https:evil.example",
    "file:///etc/passwd",
    'https://evil.example/" onmouseover="window.marked = 10',
)


def document() -> bytes:
    """Return the example with a payload in every place that a page shows as text or as a link."""
    changes: dict[str, object] = {
        "identification.identification.type.nameAtManufacturer": "".join(SCRIPTS),
        "identification.identification.type.manufacturerPartId": SCRIPTS[0],
        "identification.idDmc": SCRIPTS[1],
        "identification.chemistry": SCRIPTS[2],
        "identification.identification.serial.0.key": SCRIPTS[3],
        "identification.identification.serial.0.value": SCRIPTS[4],
        "identification.identification.dataCarrier.carrierLayout": SCRIPTS[8],
        "identification.identification.classification.0.classificationDescription": SCRIPTS[5],
        "operation.manufacturer.manufacturer": SCRIPTS[6],
        "safety.usableExtinguishAgent.0.media": SCRIPTS[7],
        "metadata.backupReference": LINKS[0],
        "metadata.registrationIdentifier": SCRIPTS[9],
        "sustainability.carbonFootprint.0.lifecycle": SCRIPTS[1],
        "sustainability.carbonFootprint.0.performanceClass": SCRIPTS[2],
        "sustainability.documents.wastePrevention": [
            {"header": script, "contentType": "text/html", "content": link}
            for script, link in zip(SCRIPTS, LINKS, strict=True)
        ],
    }
    return changed(example("ev-lfp-60"), changes)
