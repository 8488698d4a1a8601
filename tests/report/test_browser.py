"""The pages in a browser, where there is one."""

import shutil
import subprocess

import pytest
from frames import CLAIMS, PROVENANCE, results, study

from relujax import report

NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")

QUIET = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--enable-logging=stderr", "--v=0"),
]


def rendered(page, profile):
    """The page's text after it was loaded, and what was written to the console."""
    command = [BROWSER, *QUIET, f"--user-data-dir={profile}", "--dump-dom"]
    done = subprocess.run(
        [*command, page.as_uri()], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.slow
def test_the_pages_have_no_console_errors(tmp_path):
    frame = results(["relu", "elu", "arelu"], data=("wdbc", "digits"), seeds=3)
    made = study(claims=CLAIMS)
    page = report.write(made, "quick", frame, PROVENANCE, tmp_path / "srelu")
    index = report.write_index([page], tmp_path, skipped={})
    for path, words in [(page, "Claims and verdicts"), (index, "The ledger of all")]:
        text, console = rendered(path, tmp_path / "profile")
        assert words in text and not console


def test_an_error_would_be_noticed(tmp_path):
    page = tmp_path / "bad.html"
    page.write_text("<!doctype html><script>missing()</script><p>Here.</p>")
    text, console = rendered(page, tmp_path / "profile")
    assert "Here." in text and len(console) == 1 and "missing" in console[0]
