"""Find a Chromium for the browser tests, or get one: ``python -m tests.chromium``.

First the system's; as root on Debian or Ubuntu it is installed by apt; else Playwright's own.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def system_chromium() -> str | None:
    """The path of a Chromium that runs, or None when only Playwright's own can help."""
    candidates = [os.environ.get("CHROMIUM"), *map(shutil.which, NAMES)]
    return next((path for path in candidates if path and _runs(path)), None)


def main() -> None:
    """Make sure there is one; exit with one line when there is no way to get one."""
    if system_chromium() or _playwrights_own_is_there():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium for the browser tests (apt-get)", flush=True)
        quiet = {"DEBIAN_FRONTEND": "noninteractive", **os.environ}
        subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False)
        packages = ["chromium", "fonts-liberation"]
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=False)
        if system_chromium():
            return
    print("Installing Playwright's Chromium for the browser tests", flush=True)
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    subprocess.run(command, check=False)
    if not _playwrights_own_is_there():
        sys.exit(
            "No Chromium: none on the system, and none could be installed. Install one, or name "
            "one with CHROMIUM=/path, and run again; the browser tests need it."
        )


def _runs(path: str) -> bool:
    """Whether it is a browser; Ubuntu's package is a stub that asks for a snap."""
    try:
        asked = subprocess.run([path, "--version"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def _playwrights_own_is_there() -> bool:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
        return Path(path).exists() and _runs(path)


if __name__ == "__main__":
    main()
