// The light box: a finished picture as large as the window. From the stage, the arrow keys go through the pictures of
// this visit; from an opened run, through the page of the gallery that it was opened from. Esc closes it alone.
() => {
  const part = (id) => document.getElementById(id);
  const texts = JSON.parse(document.querySelector(".pg-texts").dataset.texts);
  const MOST = 60;  // pictures of this visit that are kept in memory

  const dialog = document.createElement("dialog");
  dialog.id = "pg-lightbox";
  dialog.setAttribute("aria-label", texts.lightBox);
  dialog.innerHTML = '<figure><div></div><figcaption><span></span><small></small></figcaption></figure>'
    + '<button type="button" data-go="-1">‹</button><button type="button" data-go="1">›</button><button type="button" data-shut>×</button>';
  for (const [found, text] of [["[data-go='-1']", texts.previous], ["[data-go='1']", texts.next], ["[data-shut]", texts.close]]) {
    const button = dialog.querySelector(found);
    button.title = text;
    button.setAttribute("aria-label", text);
  }
  document.querySelector(".contain").append(dialog);  // where page.css reaches it on a phone, too
  const [area, caption, counter] = ["figure > div", "span", "small"].map((each) => dialog.querySelector(each));

  // What is gone through: {html, said} of the stage, {run, thumbnail} of the gallery.
  const visit = [];
  let items = [], at = 0, opener = null;
  const isFinal = (each) => each.matches("[data-final]");
  const look = () => {
    const shown = part("pg-canvas").querySelector(".pg-frame [data-final]");
    if (!shown || visit.some((each) => each.source === shown.src)) return;
    visit.push({ source: shown.src, html: shown.outerHTML, said: shown.alt ?? shown.ariaLabel });
    if (visit.length > MOST) visit.shift();
  };
  new MutationObserver(look).observe(part("pg-canvas"), { subtree: true, childList: true, attributeFilter: ["src", "data-final"] });
  look();

  const fill = (html, said) => {
    area.innerHTML = html;
    for (const each of area.querySelectorAll("[data-final]")) for (const name of ["tabindex", "role", "style", "aria-haspopup"]) each.removeAttribute(name);
    caption.textContent = said;
  };
  const show = () => {
    const item = items[at];
    counter.textContent = items.length > 1 ? `${at + 1} / ${items.length}` : "";
    for (const button of dialog.querySelectorAll("[data-go]")) button.hidden = items.length < 2;
    if (item.html) { fill(item.html, item.said); return; }
    fill(item.thumbnail ?? "", item.said);  // until the picture itself is there
    part("pg-enlarge-run").dataset.sent = item.run;
    part("pg-enlarge-run").click();
  };
  // The server's answer about a run of the gallery.
  new MutationObserver(() => {
    const answer = part("pg-large-run").querySelector("[data-large]");
    const item = answer && items.find((each) => each.run === answer.dataset.large);
    const shown = answer?.querySelector("[data-final]");
    if (!item || !shown) return;
    Object.assign(item, { html: shown.outerHTML, said: shown.alt });
    if (items[at] === item && dialog.open) fill(item.html, item.said);
  }).observe(part("pg-large-run"), { subtree: true, childList: true, attributes: true });

  // The page of the gallery, or the side bar's list, that a run was opened from.
  let page = [];
  document.addEventListener("click", ({ target }) => {
    const list = target.closest("[data-run]")?.closest("#pg-grid, #pg-side-list, #pg-side-alike");
    if (list) page = [...list.querySelectorAll("[data-run]")].map((each) => ({ run: each.dataset.run, said: each.title || each.closest("li").querySelector("p, strong").textContent, thumbnail: each.querySelector("img")?.outerHTML }));
  }, true);

  const open = (image) => {
    opener = image;
    if (image.closest("#pg-canvas")) {
      items = [...visit];
      at = Math.max(0, items.findIndex((each) => each.source === image.src));
    } else {
      const run = document.querySelector("#pg-facts [data-opened]").dataset.opened;
      const own = { run, html: image.outerHTML, said: image.alt };
      items = page.some((each) => each.run === run) ? page.map((each) => (each.run === run ? own : { ...each })) : [own];
      at = items.indexOf(own);
    }
    show();
    dialog.showModal();
  };
  const close = () => { dialog.close(); area.replaceChildren(); if (opener?.isConnected) opener.focus({ preventScroll: true }); };
  const go = (by) => { at = (at + by + items.length) % items.length; show(); };

  const picture = (target) => target.closest?.("#pg-canvas img, #pg-opened-picture img");
  document.addEventListener("click", ({ target }) => {
    const image = picture(target);
    if (image && isFinal(image)) open(image);
  });
  dialog.addEventListener("click", ({ target }) => {
    const by = target.closest("[data-go]")?.dataset.go;
    if (by) go(Number(by));
    else if (target.closest("[data-shut]") || !target.closest("img, video, button, figcaption")) close();
  });
  // Before all other keys of the page: none of them is meant while it is open.
  document.addEventListener("keydown", (event) => {
    if (!dialog.open) {
      const image = (event.key === "Enter" || event.key === " ") && !event.ctrlKey && !event.metaKey && picture(event.target);
      if (image && isFinal(image)) { open(image); event.preventDefault(); }
      return;
    }
    if (event.key === "Escape") { close(); event.preventDefault(); }
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") { go(event.key === "ArrowLeft" ? -1 : 1); event.preventDefault(); }
    event.stopImmediatePropagation();
  }, true);
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); close(); });
}
