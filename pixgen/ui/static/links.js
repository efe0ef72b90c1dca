// Links and the browser's history: "Copy link" copies the address of a picture's settings, a page that is opened with
// one fills in its form, and Back goes to the tab, or the run in the gallery, that was open before.
() => {
  const part = (id) => document.getElementById(id);
  const texts = JSON.parse(document.querySelector(".pg-texts").dataset.texts);
  const send = (id, text) => { part(id).dataset.sent = text; part(id).click(); };

  // Copying. Only https and one's own machine have a clipboard; elsewhere the old command does it.
  const write = async (text) => {
    try { await navigator.clipboard.writeText(text); } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("#pg-copy-link, #pg-run-copy-link");
    if (!button || button.disabled) return;
    const about = document.querySelector(button.id === "pg-copy-link" ? "#pg-status [data-link]" : "#pg-facts [data-link]");
    if (!about) return;
    const label = button.textContent;
    await write(location.origin + location.pathname + about.dataset.link);
    button.textContent = texts.copied;
    setTimeout(() => { button.textContent = label; }, 1800);
  });

  // Following. The form cannot be used before it is filled in, so that nothing that is typed is replaced.
  const asked = new URLSearchParams(location.search), hash = location.hash.slice(1);
  const link = ["run", "recipe"].filter((kind) => asked.get(kind)).map((kind) => `${kind}=${asked.get(kind)}`)[0]
    ?? (/^(run|recipe)=./.test(hash) ? hash : "");
  const form = document.querySelector(".pg-create");
  let waits = 0;
  const followed = () => { form.inert = false; clearTimeout(waits); };
  const follow = () => {
    if (!link) return;
    form.inert = true;
    waits = setTimeout(followed, 15000);  // a server that does not answer
    send("pg-follow-link", link);
  };
  // The address is that of the page again: a reload must not fill in the form a second time.
  for (const kind of ["run", "recipe"]) asked.delete(kind);
  const clean = () => `${location.pathname}${asked.size ? `?${asked}` : ""}`;

  // The history. A place is a tab, or "gallery/RUN"; Create is the page itself.
  const place = () => {
    const tab = document.querySelector("[role=tab][aria-selected=true]")?.dataset.tabId ?? "create";
    const run = tab === "gallery" && [...document.querySelectorAll("#pg-facts [data-opened]")].find((each) => each.checkVisibility());
    return run ? `gallery/${run.dataset.opened}` : tab;
  };
  const address = (at) => clean() + (at === "create" ? "" : `#${at}`);
  const first = /^(gallery(\/[\w-]+)?|classify|search|experiment|info)$/.test(hash) ? hash : "create";
  let last = place(), goal = "", until = 0;
  const record = () => {
    const at = place();
    if (goal && at !== goal && Date.now() < until) return;  // on the way to where Back leads
    if (at === last) { goal = ""; return; }
    if (goal) history.replaceState(history.state, "", address(at));
    else history.pushState(history.state, "", address(at));
    [last, goal] = [at, ""];
  };
  const go = (to) => {
    if (to === place()) return;
    [goal, until] = [to, Date.now() + 5000];
    const [tab, run] = to.split("/");
    if (run) send("pg-go-to-run", run);
    else if (tab === "gallery" && place().startsWith("gallery/")) part("pg-back").click();
    else send("pg-go-to-tab", tab);
  };
  // A tab that comes back with a run in it is one step further than Back was to go.
  const settle = () => { if (goal === "gallery" && place().startsWith("gallery/")) part("pg-back")?.click(); record(); };
  history.replaceState(history.state, "", address(first));
  new MutationObserver(settle).observe(document.querySelector(".tabs"), { subtree: true, childList: true, attributeFilter: ["aria-selected", "data-opened"] });
  addEventListener("popstate", () => { last = location.hash.slice(1) || "create"; go(last); });

  // form.js calls this when the saved settings are in their fields.
  window.pixgenLinks = { followed, start: () => { follow(); if (first !== "create") { last = first; go(first); } } };
}
