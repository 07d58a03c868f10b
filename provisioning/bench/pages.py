"""``linli bench pages``: what a page weighs on the way, and when it can be used on a slow phone.

Each page of a running demo is opened at 360 px by a Chromium that has nothing of it in its cache, with
its processor slowed down four times; the network is loopback. Weight is what came over the wire, headers
included, as Chromium counts it; ``interactive`` is when the document was ready and no script of
50 ms or more was running any longer; layout shift is the sum that Web Vitals calls CLS.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import click
from rich.console import Console

from provisioning.bench.form import Report, options

BENCH: Final = "pages"
RUNS: Final = 7
QUICK_RUNS: Final = 3
SLOWER: Final = 4
"""Times that the processor is slowed down."""
PHONE: Final = {"width": 360, "height": 760}
PAGES: Final = (
    ("anonymous", "/sign-in"),
    ("anonymous", "/r/{uscc}"),
    ("resident", "/home"),
    ("resident", "/pass"),
    ("resident", "/visitors/new"),
    ("worker", "/work"),
    ("worker", "/work/scan"),
    ("gatekeeper", "/work/passages"),
    ("manager", "/work/devices"),
)
# Noted from the first moment on: shifts that nobody caused by touching, and scripts that take long.
_WATCH: Final = """
window.linliSeen = {shift: 0, busy: 0, largest: 0};
const note = (type, more) => new PerformanceObserver((list) => list.getEntries().forEach(more))
  .observe({type, buffered: true});
note("layout-shift", (e) => { if (!e.hadRecentInput) window.linliSeen.shift += e.value; });
note("longtask", (e) => { window.linliSeen.busy = Math.max(window.linliSeen.busy, e.startTime + e.duration); });
note("largest-contentful-paint", (e) => { window.linliSeen.largest = e.startTime; });
"""
_TAKE: Final = """() => new Promise((done) => {
  const said = () => {
    const page = performance.getEntriesByType("navigation")[0];
    const first = performance.getEntriesByName("first-contentful-paint")[0];
    done({
      answer: page.responseEnd, ready: page.domContentLoadedEventEnd, loaded: page.loadEventEnd,
      painted: first ? first.startTime : 0, ...window.linliSeen,
    });
  };
  // Idle twice in a row with all listeners told: nothing more is about to run.
  requestIdleCallback(() => requestIdleCallback(said));
})"""


class UnavailableError(RuntimeError):
    """What the bench needs is not on this machine."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One opening of a page. Times in ms since the navigation began, weights in bytes."""

    weight: float
    requests: int
    painted: float
    interactive: float
    shift: float


@click.command(BENCH)
@options
def command(quick: bool, json_file: Path | None) -> None:
    """First load of the portal's pages: weight, time to use, layout shift."""
    report = Report(BENCH)
    console = Console(stderr=True)
    try:
        with _opened() as opener:
            for who, place in PAGES:
                console.print(f"{who}: {place}")
                _measure(report, opener, who, place, QUICK_RUNS if quick else RUNS)
    except UnavailableError as error:
        report.skip("all pages", str(error))
    report.show()
    if json_file is not None:
        report.write(json_file)


@contextmanager
def _opened() -> Iterator[Opener]:
    """A demo that is up and a browser before it.

    Raises:
        UnavailableError: the browser, or what drives it, is not on this machine.
    """
    # Loaded only when this bench runs: the command line lists it without the test tools.
    try:
        from playwright.sync_api import sync_playwright

        from provisioning.screens.demo import NotUpError, chromium, demo
    except ImportError as error:
        raise UnavailableError(f"{error.name} is not installed: make test-env") from error
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(**chromium())
            with demo() as community:
                yield Opener(browser, community)
            browser.close()
    except NotUpError as error:
        raise UnavailableError(str(error)) from error


def _measure(report: Report, opener: Opener, who: str, place: str, runs: int) -> None:
    seen = [opener.open(who, place) for _ in range(runs)]
    case = f"{who} {place}"
    report.add(case, "weight", "kB", median(one.weight for one in seen) / 1000)
    report.add(case, "requests", "", int(median(one.requests for one in seen)))
    report.add(case, "first paint", "ms", median(one.painted for one in seen))
    report.add(case, "interactive", "ms", median(one.interactive for one in seen))
    report.add(case, "worst", "ms", max(one.interactive for one in seen))
    report.add(case, "layout shift", "", max(one.shift for one in seen))


class Opener:
    """Opens pages, each time with an empty cache, as somebody who has signed in once."""

    def __init__(self, browser: Any, community: Any) -> None:
        self._browser = browser
        self._community = community
        self._states: dict[str, Any] = {"anonymous": None}

    def open(self, who: str, place: str) -> Seen:
        """Open a page once.

        Args:
            place: its address; ``{uscc}`` stands for the code of the demo's community.
        """
        address = place.format(uscc=self._community.facts()["uscc"])
        if who not in self._states:
            self._states[who] = self._signed_in(who)
        context = self._browser.new_context(
            base_url=self._community.url,
            viewport=PHONE,
            device_scale_factor=2,
            locale="zh-CN",
            service_workers="block",
            storage_state=self._states[who],
        )
        try:
            return self._look(context, address)
        finally:
            context.close()

    def _look(self, context: Any, address: str) -> Seen:
        page = context.new_page()
        page.add_init_script(_WATCH)
        wire = context.new_cdp_session(page)
        weights: list[float] = []
        wire.on("Network.loadingFinished", lambda told: weights.append(told["encodedDataLength"]))
        wire.send("Network.enable")
        wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
        wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        page.goto(address, wait_until="load")
        told = page.evaluate(_TAKE)
        return Seen(
            weight=sum(weights),
            requests=len(weights),
            painted=told["painted"],
            interactive=max(told["ready"], told["busy"]),
            shift=told["shift"],
        )

    def _signed_in(self, who: str) -> Any:
        context = self._browser.new_context(base_url=self._community.url)
        name = self._community.resident() if who == "resident" else who
        self._community.sign_in(context.new_page(), name)
        state = context.storage_state()
        context.close()
        return state
