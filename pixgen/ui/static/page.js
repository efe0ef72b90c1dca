// What the browser does by itself: keys, the title, and looking again after a cut line.
() => {
  const part = (id) => document.getElementById(id);
  // The first of these that can be used: those of the other tabs are not to be seen.
  const visible = (parts) => [...document.querySelectorAll(parts)].find((each) => !each.disabled && each.getClientRects().length);
  const narrow = matchMedia("(max-width: 760px)");

  // The page is read out in its own language, and comes back in the one that was chosen last.
  const language = document.querySelector(".pg-header").dataset.language;
  document.documentElement.lang = language;
  document.querySelector(".pg-header nav")?.addEventListener("click", (event) => {
    const chosen = event.target.closest("a")?.lang;
    if (chosen) document.cookie = `pixgen-language=${chosen}; path=/; max-age=31536000; SameSite=Lax`;
  });

  // Some controls take what was typed only when they are left.
  const commit = () => {
    const typed = document.activeElement;
    if (!typed?.matches("input:not([type=radio], [type=checkbox])")) return;
    typed.blur();
    typed.focus({ preventScroll: true });
  };

  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      commit();
      visible("#pg-generate, #pg-classify, #pg-find, #pg-paint-grid, #pg-compare")?.click();
      event.preventDefault();
    } else if (event.key === "Escape" && [...document.querySelectorAll(".pg-header details[open], [role=listbox]")].some((each) => each.checkVisibility())) {
      document.querySelector(".pg-header details").open = false;  // an open menu: Esc closes nothing else
    } else if (event.key === "Escape") {
      (visible("#pg-heat [data-close]") ?? visible("#pg-stop, #pg-classify-stop, #pg-find-stop, #pg-stop-grid, #pg-back"))?.click();
    } else if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      visible("#pg-prompt textarea, #pg-labels textarea, #pg-query :is(input, textarea), #pg-gallery-query :is(input, textarea)")?.focus();
      event.preventDefault();
    } else if (event.key === "?" && !typing) {
      const keys = document.querySelector(".pg-header details");
      keys.open = !keys.open;
      event.preventDefault();
    }
  }, true);

  // Gradio names every radio button apart: with one name, the arrow keys go from one to the next.
  document.addEventListener("focusin", (event) => {
    const group = event.target.type === "radio" && event.target.closest("fieldset");
    if (group) for (const each of group.querySelectorAll("[type=radio]")) each.name = group.id || each.name;
  });

  // Words that are pasted or deleted are saved like those that are typed.
  document.addEventListener("input", ({ target }) => {
    if (target.matches(".pg-create :is(textarea, input:not([type=search]))")) document.dispatchEvent(new CustomEvent("pixgen-changed", { detail: "pg-keep" }));
  });

  // A phone's screen is too small for the words and the picture: bring the picture into view.
  part("pg-generate")?.addEventListener("click", () => {
    if (narrow.matches) document.querySelector("#pg-canvas").scrollIntoView({ behavior: "smooth", block: "start" });
  });
  document.addEventListener("click", (event) => {
    const pressed = narrow.matches && event.target.closest("#pg-find, #pg-classify");
    if (pressed) part(pressed.id === "pg-find" ? "pg-finding" : "pg-looking").scrollIntoView({ behavior: "smooth" });
  });

  // A file that is too large is refused before it is sent, beside its field.
  const tooLarge = document.querySelector("[data-largest]");
  for (const type of ["change", "drop"]) document.addEventListener(type, (event) => {
    if (!event.target.closest?.("#pg-region-video")) return;
    const large = [...((event.dataTransfer ?? event.target).files ?? [])].find(({ size }) => size > Number(tooLarge.dataset.largest));
    tooLarge.hidden = !large;
    if (!large) return;
    tooLarge.textContent = tooLarge.dataset.said.replace("{name}", large.name);
    event.preventDefault();
    event.stopImmediatePropagation();
    if (type === "change") event.target.value = "";
  }, true);

  // A click on the wall fills in its picture and paints it.
  document.addEventListener("click", (event) => {
    const picture = event.target.closest("[data-wall]");
    if (!picture) return;
    part("pg-wall-pick").dataset.prompt = picture.dataset.wall;
    part("pg-wall-pick").click();
  });

  // Gradio names the areas for files by other words than they show; what is read out is what is there.
  const texts = JSON.parse(document.querySelector(".pg-texts").dataset.texts);
  const nameUploads = () => {
    for (const each of document.querySelectorAll("[aria-label].boundedheight:not(.icon-mode)")) each.removeAttribute("aria-label");
    // The icon that adds more files is a button within a button: the outer one is what is read out and pressed.
    for (const inner of document.querySelectorAll("button .upload-container.icon-mode")) {
      const outer = inner.parentElement.closest("button");
      outer.ariaLabel = outer.title = texts.addFiles;
      outer.onclick = ({ target }) => { if (!inner.contains(target)) inner.click(); };
      inner.inert = true;
    }
  };
  // Its notices have English titles, and so is what it says about a file of another kind.
  const translateNotices = () => {
    for (const each of document.querySelectorAll("[data-testid=toast-body] .toast-title")) {
      const text = each.firstChild, title = texts.noticeTitles[text?.data?.trim()];
      if (title && title !== text.data.trim()) text.data = title;
    }
    for (const each of document.querySelectorAll("[data-testid=toast-text]")) {
      const [, names, kinds] = each.textContent.match(/^Invalid file types?: (.*)\. Only (.*) allowed\.$/) ?? [];
      if (names) each.textContent = texts.wrongFile.replace("{names}", () => names).replace("{kinds}", () => kinds.split(", ").map((kind) => texts.fileKinds[kind] ?? kind).join(", "));
    }
  };
  new MutationObserver(translateNotices).observe(document.querySelector(".gradio-container"), { subtree: true, childList: true });
  new MutationObserver(nameUploads).observe(document.querySelector(".tabs"), { subtree: true, childList: true });
  nameUploads();

  // What cannot be used says why.
  const reasons = JSON.parse(document.querySelector(".pg-reasons").dataset.reasons);
  const explain = () => {
    for (const [id, reason] of Object.entries(reasons)) if (part(id)) part(id).title = part(id).disabled ? reason : "";
  };

  // A click on a sketch presses the hidden button that takes it.
  part("pg-sketches")?.addEventListener("click", (event) => {
    const sketch = event.target.closest("[data-pick]");
    if (!sketch || sketch.disabled) return;
    part("pg-take").dataset.pick = sketch.dataset.pick;
    part("pg-take").click();
  });

  // A click on a button of the queue presses the hidden one that does it.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-queue]");
    if (!button) return;
    part("pg-queue-act").dataset.order = button.dataset.queue;
    part("pg-queue-act").click();
  });

  // A click on a model in the list chooses it; one on its other button downloads it, or cancels that.
  document.addEventListener("click", (event) => {
    const model = event.target.closest("[data-model], [data-download]");
    if (!model) return;
    const button = part(model.dataset.model ? "pg-choose-model" : "pg-download-model");
    button.dataset.sent = model.dataset.model ?? model.dataset.download;
    button.click();
  });

  // A click on a grid's cell opens its picture on Create; a slider uncovers one of two pictures.
  document.addEventListener("click", (event) => {
    const cell = event.target.closest("[data-open-run]");
    if (!cell) return;
    part("pg-open-run").dataset.run = cell.dataset.openRun;
    part("pg-open-run").click();
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-slide]")) event.target.closest("figure").style.setProperty("--at", `${event.target.value}%`);
  });

  // A click on a table's heading sorts its rows by it, and another one the other way round.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-sort]");
    if (!button) return;
    const head = button.closest("th"), body = head.closest("table").tBodies[0];
    const down = head.ariaSort === "ascending";
    for (const each of head.parentElement.children) each.removeAttribute("aria-sort");
    head.ariaSort = down ? "descending" : "ascending";
    const text = (row) => row.cells[button.dataset.sort].textContent;
    const rows = [...body.rows].sort((a, b) => text(a).localeCompare(text(b), undefined, { numeric: true }));
    body.append(...(down ? rows.reverse() : rows));
  });

  // A click on a picture that was found presses the hidden button that chooses it.
  document.addEventListener("click", (event) => {
    const hit = event.target.closest("#pg-hits [data-hit]");
    if (hit) {
      for (const each of document.querySelectorAll("#pg-hits [data-hit]")) each.ariaPressed = each === hit;
      part("pg-choose").dataset.hit = hit.dataset.hit;
      part("pg-choose").click();
    }
    const copy = event.target.closest("[data-copy]");
    if (copy) navigator.clipboard?.writeText(copy.dataset.copy).then(() => copy.classList.add("pg-copied"));
  });

  // Icons say what they do.
  for (const id of ["pg-seed-new", "pg-seed-reuse"]) if (part(id)) part(id).title = part(id).textContent.trim();

  // The title says how far a picture is; notify.js adds that one is done.
  const name = document.title;
  const title = { progress: "", prefix: "", show: () => { document.title = title.prefix + title.progress + name; } };
  window.pixgenTitle = title;
  new MutationObserver(() => {
    const bar = document.querySelector("#pg-status [data-state=painting] [role=progressbar]");
    const percent = bar && Math.floor((100 * bar.ariaValueNow) / bar.ariaValueMax);
    title.progress = bar ? `${percent} % · ` : "";
    title.show();
    // A phone's bar at the bottom says how far it is; its buttons are always there.
    const line = document.querySelector("#pg-status .pg-line");
    part("pg-go-line").textContent = narrow.matches && line ? [...line.children].map((each) => each.textContent).join(" · ") : "";
    document.querySelector(".pg-go").style.setProperty("--part", bar ? bar.ariaValueNow / bar.ariaValueMax : 0);
    part("pg-change-part").disabled = !!document.querySelector("#pg-status :is([data-state=starting], [data-state=waiting], [data-state=loading], [data-state=painting])");
    explain();
    window.pixgenForm.markError();
  }).observe(part("pg-status"), { subtree: true, childList: true, attributes: true });

  new MutationObserver(() => window.pixgenForm.markError()).observe(part("pg-refused"), { subtree: true, childList: true });

  new MutationObserver(explain).observe(document.querySelector(".pg-create"), { subtree: true, attributes: true, attributeFilter: ["disabled"] });
  explain();
}
