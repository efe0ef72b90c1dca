// A story as cards, and a small picture of what the camera of a journey does. Cards are moved with their buttons or by
// dragging; what is on them is sent when Generate is pressed, and kept in this browser until they are removed.
() => {
  const KEPT = "pixgen-scenes";
  const box = document.querySelector(".pg-scenes"), list = box.querySelector("ol"), note = document.querySelector(".pg-scenes-note");
  const { said, easings, fps } = JSON.parse(box.dataset.cards);
  const read = () => { try { const kept = JSON.parse(localStorage.getItem(KEPT)); return Array.isArray(kept) ? kept.filter((each) => each && typeof each === "object") : []; } catch { return []; } };
  const cards = () => [...list.children].map((card) => ({
    prompt: card.querySelector("textarea").value, seconds: card.querySelector("input").value, easing: card.querySelector("select").value }));
  const written = () => cards().filter(({ prompt }) => prompt.trim());

  const change = () => {
    [...list.children].forEach((card, index) => {
      card.querySelector("strong").textContent = said.scene.replace("{number}", index + 1);
      card.querySelector("[data-move='-1']").disabled = index === 0;
      card.querySelector("[data-move='1']").disabled = index === list.children.length - 1;
    });
    const story = written(), timed = story.some(({ seconds }) => seconds);
    const seconds = story.reduce((sum, each) => sum + (Number(each.seconds) || 2), 0);
    box.querySelector("small").textContent = timed ? said.total.replace("{seconds}", Math.round(seconds * 10) / 10).replace("{steps}", Math.round(seconds * fps)) : "";
    note.hidden = !story.length;
    try { localStorage.setItem(KEPT, JSON.stringify(cards())); } catch {}  // full or forbidden: they last as long as the page
  };
  const add = ({ prompt = "", seconds = "", easing = "smooth" } = {}) => {
    const card = document.createElement("li");
    card.innerHTML = `<header><span draggable="true" class="pg-drag">⠿</span><strong></strong>
      <button type="button" data-move="-1">↑</button><button type="button" data-move="1">↓</button><button type="button" data-remove>×</button></header>
      <textarea rows="2" maxlength="2000"></textarea>
      <div><label><span></span><input type="number" min="0.1" max="3600" step="0.1" inputmode="decimal"></label><label><span></span><select></select></label></div>`;
    const words = [[".pg-drag", said.drag], ["[data-move='-1']", said.earlier], ["[data-move='1']", said.later], ["[data-remove]", said.remove]];
    for (const [found, text] of words) {
      card.querySelector(found).title = text;
      if (found !== ".pg-drag") card.querySelector(found).setAttribute("aria-label", text);
    }
    const [secondsLabel, easingLabel] = card.querySelectorAll("label span");
    [secondsLabel.textContent, easingLabel.textContent] = [said.seconds, said.easing];
    const area = card.querySelector("textarea"), input = card.querySelector("input"), select = card.querySelector("select");
    Object.assign(area, { value: prompt, placeholder: said.prompt, ariaLabel: said.scene.replace("{number}", list.children.length + 1) });
    Object.assign(input, { value: seconds, placeholder: said.auto });
    for (const [name, title] of Object.entries(easings)) select.add(new Option(title, name));
    select.value = easing in easings ? easing : "smooth";
    list.append(card);
    return card;
  };

  box.addEventListener("input", change);
  box.addEventListener("click", ({ target }) => {
    const card = target.closest("li"), by = Number(target.closest("[data-move]")?.dataset.move ?? 0);
    if (target.closest("[data-add]")) add().querySelector("textarea").focus();
    else if (target.closest("[data-remove]")) card.remove();
    else if (by) {
      if (by < 0) card.previousElementSibling?.before(card); else card.nextElementSibling?.after(card);
      target.focus();
    } else return;
    change();
  });
  note.addEventListener("click", ({ target }) => {
    if (!target.closest("[data-clear-scenes]")) return;
    list.replaceChildren();
    add(); add();
    change();
    document.querySelector("#pg-prompt textarea").focus();
  });

  // Dragging by the handle: the card goes where the pointer is.
  let dragged = null;
  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("li");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setDragImage(dragged, 16, 16);
    dragged.classList.add("pg-dragged");
  });
  list.addEventListener("dragover", (event) => {
    const over = event.target.closest("li");
    if (!dragged || !over) return;
    event.preventDefault();
    if (over === dragged) return;
    const { top, height } = over.getBoundingClientRect();
    if (event.clientY < top + height / 2) over.before(dragged); else over.after(dragged);
  });
  list.addEventListener("drop", (event) => { if (dragged) event.preventDefault(); });
  list.addEventListener("dragend", () => { dragged?.classList.remove("pg-dragged"); dragged = null; change(); });

  for (const card of read()) add(card);
  while (list.children.length < 2) add();
  change();

  // The journey: the picture of the stage, or else one of the wall, moved from frame to frame as the fields say.
  const preview = document.querySelector(".pg-journey-preview"), pen = preview.getContext("2d");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  // The server works the values out, so that expressions and sounds are previewed as they will be painted.
  const readMoves = () => JSON.parse(document.querySelector("#pg-curves [data-moves]")?.dataset.moves ?? "[]");
  const draw = (moves) => {
    const { width, height } = preview;
    const image = document.querySelector("#pg-canvas .pg-frame img") ?? document.querySelector(".pg-wall img");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, width, height);
    if (!image?.complete || !image.naturalWidth) return;
    const fit = Math.min(width / image.naturalWidth, height / image.naturalHeight);
    const across = image.naturalWidth * fit, down = image.naturalHeight * fit;
    // As in motion.py, whose camera is as far away as the shorter side is long; without its perspective.
    const aside = (degrees) => Math.tan(degrees * Math.PI / 180) * Math.min(across, down);
    let moved = new DOMMatrix();  // the move of each frame comes after those before it
    for (const [zoom, x, y, turn, tilt, pan, dolly] of moves)
      moved = new DOMMatrix().scale(1 / (1 - dolly)).translate(-aside(pan), aside(tilt)).rotate(turn).scale(zoom).translate(-x * across, -y * down).multiply(moved);
    pen.translate(width / 2, height / 2);
    pen.transform(moved.a, moved.b, moved.c, moved.d, moved.e, moved.f);
    pen.drawImage(image, -across / 2, -down / 2, across, down);
  };
  let begun = 0;
  const play = (now) => {
    if (!preview.checkVisibility()) { begun = 0; setTimeout(() => requestAnimationFrame(play), 500); return; }
    begun ||= now;
    const moves = readMoves();
    // At the video's pace, with a rest at the end.
    const frame = still.matches ? moves.length : (((now - begun) / 1000) * fps) % (moves.length + fps);
    draw(moves.slice(0, frame));
    setTimeout(() => requestAnimationFrame(play), still.matches ? 500 : 50);
  };
  requestAnimationFrame(play);

  // Scenes without a prompt are no story.
  window.pixgenScenes = { sent: () => (written().length ? JSON.stringify(written()) : "") };
}
