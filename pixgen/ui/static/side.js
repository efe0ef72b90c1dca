// The side bar of pictures: beside the page where there is room, else over it. What it shows is asked
// for when it is open, after the page is there.
() => {
  const ASK = "pg-ask-side";
  const root = document.documentElement, side = document.getElementById("pg-side");
  const toggle = document.getElementById("pg-side-toggle");
  const roomy = matchMedia("(min-width: 1200px)");
  const open = () => Boolean(root.dataset.side);
  const covers = () => root.dataset.side === "over";
  const say = (what, detail) => document.dispatchEvent(new CustomEvent(what, { detail }));
  const look = () => { if (open()) say("pixgen-changed", ASK); };

  // Beside the page it is open until somebody closes it; over the page it is closed until somebody opens it.
  const KEPT = () => (roomy.matches ? "pixgen-side" : "pixgen-side-over");
  const kept = () => { try { return localStorage.getItem(KEPT()); } catch { return null; } };
  const keep = () => { try { localStorage.setItem(KEPT(), open() ? "open" : "closed"); } catch {} };

  const show = (wanted) => {
    root.dataset.side = !wanted ? "" : roomy.matches ? "beside" : "over";
    toggle.ariaExpanded = String(wanted);
    // Who cannot see what it covers cannot reach it either.
    for (const each of side.parentElement.children) if (each !== side) each.inert = covers();
    look();
  };
  const turn = (wanted) => {
    const leaving = side.contains(document.activeElement);
    show(wanted);
    keep();
    if (covers()) document.getElementById("pg-side-close").focus();
    else if (leaving && !open()) toggle.focus();
  };
  const restore = () => show((kept() ?? (roomy.matches ? "open" : "closed")) === "open");

  side.setAttribute("role", "complementary");
  side.ariaLabel = toggle.ariaLabel;
  document.getElementById("pg-side-said").setAttribute("role", "status");
  roomy.addEventListener("change", restore);
  restore();

  toggle.addEventListener("click", () => turn(!open()));
  document.getElementById("pg-side-close").addEventListener("click", () => turn(false));
  document.addEventListener("click", (event) => {
    if (!covers() || !event.isTrusted || !event.target.isConnected || toggle.contains(event.target)) return;
    if (!side.contains(event.target) || event.target.closest("[data-run], [data-all]")) turn(false);
  });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (event.key === "Escape" && covers()) {
      turn(false);
      event.stopImmediatePropagation();
    } else if (event.key.toLowerCase() === "g" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      turn(!open());
      event.preventDefault();
    }
  }, true);

  // Runs come and go by what is painted here, thrown away here, and done elsewhere.
  const happening = () => [
    document.querySelector("#pg-status [data-state]")?.dataset.state,
    document.querySelector("#pg-grid-status [role=progressbar]")?.ariaValueNow,
    ...[...document.querySelectorAll("#pg-queue [data-run]")].map((each) => each.dataset.run),
  ].join();
  let before = happening();
  new MutationObserver(() => {
    const now = happening();
    if (now !== before) look();
    before = now;
  }).observe(side.parentElement, { subtree: true, childList: true, attributeFilter: ["data-state", "data-run", "aria-valuenow"] });
  document.addEventListener("pixgen-runs", look);
  addEventListener("focus", look);

  // What was found by looks is shown as long as its words stand there.
  const query = document.querySelector("#pg-side-query input"), alike = document.getElementById("pg-side-alike");
  const words = (text) => encodeURIComponent(text.trim());
  const compare = () => {
    const found = alike.querySelector("section");
    if (found) found.hidden = found.dataset.words !== words(query.value);
  };
  query.addEventListener("input", compare);
  new MutationObserver(compare).observe(alike, { subtree: true, childList: true });
  window.pixgenSide = {
    looking: (text, html) => (text.trim() ? html.replace('data-words=""', `data-words="${words(text)}"`) : ""),
  };

  // Who stands on a run still stands on it when the list is drawn anew.
  let standing;
  const list = document.getElementById("pg-side-list");
  list.addEventListener("focusin", (event) => { standing = event.target.closest("[data-run]")?.dataset.run; });
  list.addEventListener("focusout", (event) => { if (event.relatedTarget) standing = undefined; });
  new MutationObserver(() => {
    if (standing && document.activeElement === document.body) list.querySelector(`[data-run="${standing}"]`)?.focus({ preventScroll: true });
  }).observe(list, { subtree: true, childList: true });
}
