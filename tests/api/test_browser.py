"""The pages in a real Chromium: nothing runs, nothing is fetched from elsewhere, nothing sticks out."""

import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from battpass.kg.home import Home
from tests.api.conftest import EXAMPLES, Served, example, keep, serving
from tests.api.hostile_passport import LINKS, SCRIPTS, document

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Servers of five examples and of the passport full of scripts, which has the name of the first."""
    with Home.open(tmp_path_factory.mktemp("hostile"), create=True) as home:
        keep(home, *(example(name) for name in EXAMPLES[1:]), document())
        with serving(home) as server:
            yield server


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    """A page that keeps what it requested, logged and was stopped from."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.requested, page.told = [], []
    page.on("request", lambda request: page.requested.append(request.url))
    page.on("console", lambda message: page.told.append(message.text))
    page.on("pageerror", lambda error: page.told.append(str(error)))
    page.on("dialog", lambda dialog: page.told.append(dialog.message))
    yield page
    context.close()


def addresses(identifier: str) -> tuple[str, ...]:
    return (
        "/",
        f"/?q={identifier[:8]}",
        f"/p/{identifier}",
        f"/p/{identifier}?lang=de",
        "/sparql",
        "/sparql?query=SELECT%20*%20%7B%20%3Fs%20schema%3Aname%20%3Fo%20%7D",
        "/docs",
        "/nowhere",
    )


def test_scripts_in_literals_do_not_run(hostile: Served, identifier: str, tab: Any) -> None:
    for address in addresses(identifier):
        tab.goto(hostile.address + address)
        tab.wait_for_load_state("networkidle")
        assert tab.evaluate("window.marked") is None, address
        assert tab.evaluate("document.scripts.length") == 0
        assert tab.evaluate("document.querySelectorAll('iframe, base, meta[http-equiv]').length") == 0
        assert tab.url == hostile.address + address
    assert not [text for text in tab.told if "404" not in text]
    elsewhere = {urlsplit(url).netloc for url in tab.requested} - {urlsplit(hostile.address).netloc}
    assert not elsewhere


def test_payloads_are_shown_as_the_text_that_they_are(hostile: Served, identifier: str, tab: Any) -> None:
    tab.goto(f"{hostile.address}/p/{identifier}")
    assert tab.inner_text("h1") == "".join(SCRIPTS)
    text = tab.inner_text("body")
    assert "49" not in tab.inner_text("h1")
    for link in (LINKS[0], LINKS[2], LINKS[3], LINKS[6], LINKS[8]):
        assert link in text, link


def test_links_lead_only_where_they_may(hostile: Served, identifier: str, tab: Any) -> None:
    for address in addresses(identifier):
        tab.goto(hostile.address + address)
        links = tab.evaluate(
            "[...document.querySelectorAll('[href], [src], [action]')].map(e => e.href || e.src || e.action)"
        )
        assert {urlsplit(link).scheme for link in links} <= {"http", "https", "mailto"}
        assert not [link for link in links if urlsplit(link).hostname == "evil.example"]
    outward = tab.evaluate(
        "[...document.querySelectorAll('a[href^=\"https:\"]')].every(a => a.rel.includes('noopener'))"
    )
    assert outward


@pytest.mark.parametrize("width", [320, 390, 768, 1000, 1120, 1440])
def test_pages_fit_from_phone_to_desktop(hostile: Served, identifier: str, browser: Any, width: int) -> None:
    """The passport of hostile text has words longer than any screen."""
    other = next(record for record in hostile.home.records() if not record.endswith(identifier))
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    for address in (*addresses(identifier)[2:6], "/", f"/p/{other.rpartition('/')[2]}"):
        page.goto(hostile.address + address)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{address} sticks out by {wide} pixels at {width}"
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(served: Served, identifier: str, browser: Any, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    grounds = set()
    for address in (*addresses(identifier), "/sparql?query=SELECT"):
        page.goto(served.address + address)
        assert page.evaluate(CONTRAST) >= 4.5, f"{address} is hard to read in {scheme}"
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds == {{"light": "rgb(251, 250, 246)", "dark": "rgb(19, 24, 22)"}[scheme]}
    context.close()


def test_page_reads_and_asks_without_scripts(served: Served, identifier: str, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(served.address)
    page.fill("#q", identifier)
    page.click("button")
    assert page.url == f"{served.address}/p/{identifier}"
    assert page.inner_text("h1") == "Exemplar Polar 60"
    page.click("text=SPARQL")
    page.fill("#query", "ASK { ?passport a bp:BatteryPassport }")
    page.click("button")
    assert "Yes, there is." in page.inner_text("main")
    page.click("text=Deutsch")
    assert "Ja, das gibt es." in page.inner_text("main")
    context.close()


def test_page_is_there_within_a_second(served: Served, identifier: str, tab: Any) -> None:
    tab.goto(f"{served.address}/p/{identifier}")
    tab.goto(f"{served.address}/p/{identifier}")
    timing = tab.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    assert timing < 1000
    paths = [urlsplit(url).path for url in tab.requested]
    assert set(paths) <= {
        f"/p/{identifier}",
        "/assets/battpass.css",
        f"/p/{identifier}/qr.svg",
        "/favicon.ico",
    }


def test_every_control_has_a_name_and_headings_are_in_order(
    served: Served, identifier: str, tab: Any
) -> None:
    for address in addresses(identifier):
        tab.goto(served.address + address)
        levels = tab.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(e => Number(e.tagName[1]))")
        assert levels.count(1) == 1
        unnamed = tab.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]), textarea')]"
            ".filter(e => !e.labels.length).length"
        )
        assert unnamed == 0
        assert tab.evaluate("[...document.images].every(e => e.alt)")
        assert tab.evaluate("document.documentElement.lang") in ("en", "de")


# The smallest contrast (WCAG 2) between any text and the nearest background below it.
CONTRAST = """() => {
  const channels = colour => (colour.match(/[\\d.]+/g) || []).map(Number)
  const linear = v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255)
  const behind = e => { for (; e; e = e.parentElement) {
    const c = channels(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c }
    return [255, 255, 255] }
  let least = 21
  for (const e of document.querySelectorAll('body *')) {
    const says = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
    if (!says || !e.getClientRects().length) continue
    const [a, b] = [light(channels(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x)
    least = Math.min(least, (a + 0.05) / (b + 0.05))
  }
  return least
}"""
