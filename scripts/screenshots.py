"""Take the README's pictures of the page: while it paints, in the light and in the dark theme.

Starts the page with a temporary output folder, paints a lighthouse in a headless Chromium, and keeps the first view
of each theme that is half-way through.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "assets" / "docs"
PROMPT, PORT = "a lighthouse by the sea", 7911
VIEW = {"width": 1280, "height": 800}
STEPS = (12, 36)  # a view between these steps of 40 is kept
URL = re.compile(r"https?://\S+")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def main() -> None:
    """Start the page, and write both pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as outputs:
        command = [
            sys.executable,
            "-u",
            "app.py",
            "--port",
            str(PORT),
            "--output-dir",
            outputs,
            "--lang",
            "en",
        ]
        page = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        try:
            url = next(found[0] for line in page.stdout or () if (found := URL.search(line)))
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                for theme in ("light", "dark"):
                    context = browser.new_context(viewport=VIEW, color_scheme=theme)
                    view = take(context.new_page(), f"{url}/?__theme={theme}")
                    view.save(FOLDER / f"page-{theme}.webp", quality=88, method=6)
                browser.close()
        finally:
            page.terminate()
            page.wait()


def take(page: Page, url: str) -> Image.Image:
    """Paint, and return the page while it is about half-way."""
    page.goto(url)
    page.fill("#pg-prompt textarea", PROMPT)
    page.wait_for_timeout(3000)  # for the fonts, and the count of tokens
    page.click("#pg-generate")
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        found = re.search(r"step (\d+) of (\d+)", page.inner_text("body"))
        if found and STEPS[0] <= int(found[1]) <= STEPS[1]:
            view = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            page.locator("#pg-stop:disabled").wait_for(timeout=180_000)  # the next theme finds no queue
            return view
        page.wait_for_timeout(100)
    raise SystemExit("The page did not paint within three minutes: try again on a quieter machine.")


if __name__ == "__main__":
    main()
