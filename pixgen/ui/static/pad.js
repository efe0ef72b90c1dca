// A pad over the picture: a start to draw, and for each prompt the region where it applies.
() => {
  const part = (id) => document.getElementById(id);
  const pad = part("pg-pad"), shown = pad?.querySelector("canvas");
  if (!shown) return;
  const INKS = ["#1d1b19", "#ffffff", "#8a8681", "#d43d2f", "#f08a24", "#f4cf3a", "#4c9f50", "#3fb6c8", "#2f6fd0", "#8a55c4", "#e58fb1", "#8b5a35"];
  const TINTS = ["#e0503c", "#2f7fd6", "#3da35d", "#c08a1e", "#9a5bd0", "#1fa3a3", "#d0568f", "#7a7a2a"];
  const KEPT = "pixgen-drawn";
  const BRUSHES = { small: 1 / 48, medium: 1 / 18, large: 1 / 7 };
  const sheet = document.createElement("canvas");  // what is drawn as a start
  const layers = new Map();  // a prompt's number: where it applies
  const undone = [];
  let mode = "", ink = INKS[0], chosen = 1, brush = "medium", erasing = false;
  // Regions belong to the recipe behind the form (its hash, "" without one) for which they were brushed.
  let basis = "", owner = "";

  // The prompts of the first scene, as they are divided: not in braces, not behind a backslash.
  const prompts = () => {
    const found = [""];
    let depth = 0;
    const text = document.querySelector("#pg-prompt textarea").value;
    for (let at = 0; at < text.length; at++) {
      const sign = text[at];
      if (sign === "\\") { found[found.length - 1] += sign + (text[++at] ?? ""); continue; }
      if (sign === "{") depth++;
      if (sign === "}") depth = Math.max(0, depth - 1);
      if (sign === "^") break;
      if (sign === "|" && !depth) found.push("");
      else found[found.length - 1] += sign;
    }
    return found.map((each) => each.trim()).filter(Boolean);
  };
  const size = () => {
    const [width, height] = (document.querySelector("#pg-size input")?.value.match(/\d+/g) ?? [1, 1]).map(Number);
    return [width || 1, height || width || 1];
  };
  const fitted = (longest) => {
    const [width, height] = size(), scale = longest / Math.max(width, height);
    return [Math.max(8, Math.round(width * scale)), Math.max(8, Math.round(height * scale))];
  };
  const copy = (from, width = from.width, height = from.height) => {
    const made = document.createElement("canvas");
    [made.width, made.height] = [width, height];
    if (from.width && from.height) made.getContext("2d").drawImage(from, 0, 0, width, height);
    return made;
  };
  const resize = (canvas, [width, height]) => {
    if (canvas.width === width && canvas.height === height) return;
    const old = copy(canvas);
    [canvas.width, canvas.height] = [width, height];
    canvas.getContext("2d").drawImage(old, 0, 0, width, height);
  };
  const layer = (number) => {
    if (!layers.has(number)) layers.set(number, document.createElement("canvas"));
    resize(layers.get(number), fitted(256));
    return layers.get(number);
  };
  const brushed = (number) => owner === basis && layers.has(number);
  const target = () => (mode === "draw" ? sheet : layer(chosen));
  const tint = (number) => TINTS[(number - 1) % TINTS.length];

  const show = () => {
    const pen = shown.getContext("2d"), { width, height } = shown;
    pen.globalAlpha = 1;
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, width, height);
    if (mode === "draw") { pen.drawImage(sheet, 0, 0, width, height); return; }
    const picture = document.querySelector("#pg-canvas .pg-frame img");
    if (picture?.complete) pen.drawImage(picture, 0, 0, width, height);
    pen.globalAlpha = 0.55;
    for (const number of prompts().keys()) if (brushed(number + 1)) pen.drawImage(layer(number + 1), 0, 0, width, height);
  };
  const button = (label, options = {}) => {
    const made = document.createElement("button");
    made.type = "button";
    made.title = label;
    made.setAttribute("aria-label", label);
    Object.assign(made.dataset, options);
    return made;
  };
  const tools = () => {
    const inks = pad.querySelector(".pg-pad-inks");
    if (mode === "draw") {
      inks.replaceChildren(...INKS.map((colour) => {
        const made = button(colour, { ink: colour });
        made.style.setProperty("--ink", colour);
        made.ariaPressed = colour === ink && !erasing;
        return made;
      }));
    } else {
      inks.replaceChildren(...prompts().map((text, index) => {
        const made = button(text, { layer: index + 1 });
        made.append(document.createElement("i"), text);
        made.style.setProperty("--ink", tint(index + 1));
        made.ariaPressed = index + 1 === chosen;
        return made;
      }));
      if (!prompts().length) inks.textContent = pad.dataset.empty;
    }
    for (const each of pad.querySelectorAll("[data-brush]")) each.ariaPressed = each.dataset.brush === brush;
    pad.querySelector("[data-do=erase]").ariaPressed = erasing;
    pad.querySelector("[data-do=undo]").disabled = !undone.length;
  };
  const remember = () => {
    if (mode === "regions" && owner !== basis) { layers.clear(); owner = basis; undone.length = 0; }
    undone.push([target(), copy(target())]);
    if (undone.length > 20) undone.shift();
  };

  const close = () => {
    mode = "";
    pad.hidden = true;
  };
  const open = (wanted) => {
    if (mode === wanted) { close(); return; }
    mode = wanted;
    erasing = false;
    undone.length = 0;
    chosen = Math.max(1, Math.min(chosen, prompts().length));
    resize(sheet, fitted(512));
    [shown.width, shown.height] = fitted(512);
    shown.style.setProperty("--ratio", shown.width / shown.height);
    pad.querySelector("p").textContent = pad.dataset[mode];
    pad.hidden = false;
    tools();
    show();
    if (matchMedia("(max-width: 760px)").matches) pad.scrollIntoView({ behavior: "smooth" });
  };

  const stroke = (event) => {
    if (!event.buttons || (mode === "regions" && !prompts().length)) return;
    const canvas = target(), pen = canvas.getContext("2d");
    if (event.type === "pointerdown") { remember(); pen.beginPath(); }
    Object.assign(pen, { lineCap: "round", lineJoin: "round", strokeStyle: mode === "draw" ? ink : tint(chosen),
      lineWidth: Math.min(canvas.width, canvas.height) * BRUSHES[brush],
      globalCompositeOperation: erasing ? "destination-out" : "source-over" });
    for (const each of event.getCoalescedEvents?.() ?? [event]) {
      const box = shown.getBoundingClientRect();
      pen.lineTo((each.clientX - box.left) / box.width * canvas.width, (each.clientY - box.top) / box.height * canvas.height);
    }
    pen.stroke();
    show();
    event.preventDefault();
  };
  shown.addEventListener("pointerdown", (event) => { shown.setPointerCapture(event.pointerId); stroke(event); stroke({ ...pick(event), type: "pointermove" }); tools(); });
  shown.addEventListener("pointermove", stroke);
  for (const end of ["pointerup", "pointercancel"]) shown.addEventListener(end, () => keep());
  const pick = (event) => ({ buttons: event.buttons, clientX: event.clientX + 0.1, clientY: event.clientY, preventDefault: () => {} });

  pad.addEventListener("click", (event) => {
    const { ink: colour, layer: number, brush: wide, do: act } = event.target.closest("button")?.dataset ?? {};
    if (colour) [ink, erasing] = [colour, false];
    if (number) [chosen, erasing] = [Number(number), false];
    if (wide) brush = wide;
    if (act === "erase") erasing = !erasing;
    if (act === "clear") {
      remember();
      const canvas = target();
      canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    }
    if (act === "undo" && undone.length) {
      const [canvas, before] = undone.pop(), pen = canvas.getContext("2d");
      pen.globalCompositeOperation = "copy";
      pen.drawImage(before, 0, 0);
      pen.globalCompositeOperation = "source-over";
    }
    if (act === "done") { close(); return; }
    if (act === "clear" || act === "undo") keep();
    tools();
    show();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && mode) { close(); event.stopImmediatePropagation(); } }, true);
  part("pg-prompt")?.addEventListener("input", () => { if (mode === "regions") { tools(); show(); } });

  const painted = (canvas) => canvas.width > 0 && canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((value, at) => at % 4 === 3 && value > 127);
  const onto = (canvas, colour, flat) => {
    const made = copy(canvas), pen = made.getContext("2d");
    if (flat) { pen.globalCompositeOperation = "source-in"; pen.fillStyle = "#ffffff"; pen.fillRect(0, 0, made.width, made.height); }
    pen.globalCompositeOperation = "destination-over";
    pen.fillStyle = colour;
    pen.fillRect(0, 0, made.width, made.height);
    return made.toDataURL("image/png");
  };
  const regions = (made) => Object.fromEntries([...prompts().keys()].map((index) => index + 1)
    .filter((number) => brushed(number) && painted(layer(number))).map((number) => [number, made(layer(number))]));

  // What is drawn is kept in this browser, and the buttons say that there is something.
  const mark = () => {
    const count = Object.keys(regions(() => true)).length;
    for (const [id, said] of [["pg-draw", painted(sheet) ? " " : ""], ["pg-regions", count ? String(count) : ""]]) {
      const opener = part(id);
      if (said) opener.dataset.kept = said; else delete opener.dataset.kept;
      opener.title = said ? pad.dataset[id === "pg-draw" ? "drawingKept" : "regionsKept"] : "";
    }
  };
  const keep = () => {
    const kept = { owner, start: painted(sheet) ? sheet.toDataURL() : "", regions: {} };
    for (const [number, canvas] of layers) if (painted(canvas)) kept.regions[number] = canvas.toDataURL();
    // A full or forbidden storage: it lasts as long as the page is open.
    try { localStorage.setItem(KEPT, JSON.stringify(kept)); } catch {}
    mark();
  };
  const restore = async () => {
    const load = async (canvas, address) => {
      const picture = new Image();
      picture.src = address;
      await picture.decode();
      [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
      canvas.getContext("2d").drawImage(picture, 0, 0);
    };
    try {
      const kept = JSON.parse(localStorage.getItem(KEPT) || "{}");
      owner = String(kept.owner ?? "");
      if (kept.start) await load(sheet, kept.start);
      for (const [number, address] of Object.entries(kept.regions ?? {})) {
        const canvas = document.createElement("canvas");
        await load(canvas, address);
        layers.set(Number(number), canvas);
      }
    } catch { localStorage.removeItem(KEPT); }
    mark();
  };
  const hash = (text) => String([...text].reduce((sum, sign) => (sum * 31 + sign.codePointAt(0)) | 0, 0));

  // What was drawn, as it is sent when Generate is pressed; it stays for the next picture. The recipe behind
  // the form has regions of its own: what was brushed for another comes back when it is forgotten.
  window.pixgenPad = { open, hash, mark: () => setTimeout(mark), basis: (text) => { basis = text ? hash(text) : ""; mark(); }, drawn: () => {
    close();
    const found = regions((canvas) => onto(canvas, "#000000", true));
    const start = painted(sheet) ? onto(sheet, "#ffffff", false) : "";
    return start || Object.keys(found).length ? JSON.stringify({ start, regions: found }) : "";
  } };
  window.pixgenPad.restored = restore();
}
