// The settings of Create in this browser's storage. This runs in the page's head, before gradio builds the
// controls: each is built with its saved value, so that nothing arrives later and replaces what somebody types.
//
// presets: the values and the size that each sets. longest: the characters that each text field may hold.
(presets, longest) => {
  const KEY = "pixgen-form", FIELD = "pg-field-", UNCHANGED = { __type__: "update" };
  const root = document.documentElement;
  const touched = new Set();  // fields that somebody has changed before the page was complete
  let ready = false, unsaved = false, pressed = false;
  const press = (id) => document.getElementById(id)?.click();

  const read = () => {
    try {
      const saved = JSON.parse(localStorage.getItem(KEY));
      return saved && typeof saved === "object" ? saved : null;
    } catch { return null; }
  };
  const fieldOf = (classes) => [...(classes ?? [])].find((each) => each.startsWith(FIELD))?.slice(FIELD.length);

  // Storage may hold anything, also choices that are no longer offered; this alone decides what is taken from it.
  const fits = (name, value) => {
    const { type, props } = fields.get(name);
    const isText = (each) => typeof each === "string" && each.length <= (props.max_length ?? longest[name]);
    const isOffered = (each) => props.choices.some(([, choice]) => choice === each) || (props.allow_custom_value && isText(each));
    if (type === "slider") return typeof value === "number" && value >= props.minimum && value <= props.maximum;
    if (type === "checkbox") return typeof value === "boolean";
    if (props.multiselect) return Array.isArray(value) && value.length > 0 && value.every(isOffered);
    return props.choices ? isOffered(value) : isText(value);
  };

  // The side bar has its room from the first moment on; side.js opens and closes it.
  const roomy = matchMedia("(min-width: 1200px)").matches;
  const side = (() => { try { return localStorage.getItem(roomy ? "pixgen-side" : "pixgen-side-over"); } catch { return null; } })();
  if (roomy && side !== "closed") root.dataset.side = "beside";

  // What other parts of the page look like goes by these, through page.css.
  const show = (values) => {
    for (const name of ["preset", "start"]) if (name in values) root.dataset[name] = values[name] ?? "";
    if ("crisp" in values) root.classList.toggle("pg-crisp", Boolean(values.crisp));
  };

  // The preset as the radios for quality, medium and video show it: the first choice of the last two stands
  // for a preset that they do not have.
  const radios = (window.gradio_config?.components ?? []).filter(({ props }) => props?.elem_classes?.includes("pg-view"));
  const seen = (radio, name) => (radio.props.choices.some(([, choice]) => choice === name) ? name : radio.props.choices[0][1] === "" ? "" : null);
  const views = (name) => radios.slice(0, 3).map((radio) => seen(radio, name));

  const fields = new Map(), first = {};
  const saved = read();
  for (const component of window.gradio_config?.components ?? []) {
    const name = fieldOf(component.props?.elem_classes);
    if (!name) continue;
    fields.set(name, component);
    first[name] = component.props.value;
    if (saved && name in saved && fits(name, saved[name])) component.props.value = saved[name];
    show({ [name]: component.props.value });
  }
  for (const radio of radios) radio.props.value = seen(radio, fields.get("preset")?.props.value);

  // Files that somebody has added: the server has them for a day, and here is where. They are in their fields again
  // after a reload, which gradio does by itself when it has lost the server.
  const UPLOADS = "pixgen-uploads", UPLOAD = "pg-upload-", LASTS = 20 * 3600 * 1000;
  const uploadOf = ({ props }) => [...(props?.elem_classes ?? [])].find((each) => each.startsWith(UPLOAD))?.slice(UPLOAD.length);
  const uploads = new Map((window.gradio_config?.components ?? []).map((component) => [uploadOf(component), component.props]).filter(([name]) => name));
  const readUploads = () => {
    try {
      const kept = JSON.parse(localStorage.getItem(UPLOADS)), isFile = (each) => typeof each?.path === "string" && typeof each?.url === "string";
      return Object.fromEntries([...uploads].map(([name, props]) => [name, kept?.[name], props.file_count === "multiple"])
        .filter(([, each, several]) => each && Date.now() - each.at < LASTS && (several ? Array.isArray(each.value) && each.value.every(isFile) : isFile(each.value))));
    } catch { return {}; }
  };
  for (const [name, { value }] of Object.entries(readUploads())) uploads.get(name).value = value;

  const plain = (value) => JSON.stringify(value ?? "");  // an empty field is null at first

  // Each group of settings says what is changed in it, and what the preset decides is not.
  let order = [], now = {}, uploaded = [];
  const sayChanged = (values = now) => {
    now = values;
    const usual = { ...first }, preset = presets[values.preset];
    order.forEach((name, index) => { if (preset) usual[name] = preset.values[index]; });
    const differs = (name) => name in values && plain(values[name]) !== plain(usual[name]);
    for (const fold of document.querySelectorAll(".pg-create .pg-folded")) {
      const changed = [...fold.querySelectorAll(`[class*=${FIELD}], [class*=${UPLOAD}]`)].filter(({ classList }) => differs(fieldOf(classList)) || uploaded.includes(uploadOf({ props: { elem_classes: classList } })));
      const said = changed.map((each) => each.querySelector("[data-testid=block-info], [data-testid=block-label], label span")?.textContent.trim()).filter(Boolean);
      const title = fold.querySelector("[data-unfold]");
      title.dataset.changed = fold.id === "pg-style" ? styleTitles(values.styles) : said.join(", ");
    }
  };
  // The chosen styles are names of bundled ones, whose titles are on their tiles, and custom ones with their titles.
  const styleTitles = (chosen) => {
    const tiles = new Map([...document.querySelectorAll("#pg-styles [data-style]")].map((tile) => [tile.dataset.style, tile.textContent]));
    try {
      return JSON.parse(chosen).map((each) => tiles.get(each) ?? each.title).filter(Boolean).join(", ");
    } catch { return ""; }
  };

  // An error that is about a field stands beside it, until the field has another value than the one that was sent.
  let sent = {}, marked = "";
  const clearError = () => { for (const each of document.querySelectorAll("[data-error]")) each.removeAttribute("data-error"); };
  const mark = (name, error) => {
    clearError();
    const field = document.querySelector(`.${FIELD}${name}, .${UPLOAD}${name}`);
    field.dataset.error = error;
    for (let fold = field.closest(".pg-folded"); fold; fold = fold.parentElement.closest(".pg-folded"))
      if (!fold.hasAttribute("data-open")) fold.querySelector("[data-unfold]").click();
    field.querySelector("textarea, input:not([type=file]), button").focus();
  };
  const markError = () => {
    const section = document.querySelector("#pg-refused [data-field], #pg-status [data-state=failed][data-field]");
    if (!section && marked) clearError();
    if (!section) marked = "";
    if (!section || section.dataset.mark === marked) return;  // every error has a mark of its own
    marked = section.dataset.mark;
    mark(section.dataset.field, section.querySelector("[role=alert]").textContent);
  };
  // One about a file that was added, which is not in its field any more.
  const markUpload = (name, error) => {
    if (error) mark(name, error);
    else if (document.querySelector(`.${UPLOAD}${name}[data-error]`)) clearError();
  };
  document.addEventListener("input", ({ target }) => { if (target.closest("[data-error]")) clearError(); });

  const touch = (event) => {
    const name = fieldOf(event.target.closest?.(`[class*=${FIELD}]`)?.classList);
    if (!name) return;
    touched.add(name);
    unsaved = true;
  };
  // What was typed last is saved when somebody leaves, though they have not paused, and though gradio, which saves it
  // otherwise, does nothing any more once it has lost the server.
  const typed = {};
  document.addEventListener("input", touch, true);
  document.addEventListener("input", ({ target }) => {
    const name = fieldOf(target.closest?.(`[class*=${FIELD}]`)?.classList), type = fields.get(name)?.type;
    const value = { textbox: target.value, slider: Number(target.value), checkbox: target.checked }[type];
    if (value !== undefined) typed[name] = value;
    if (target.type === "radio" && target.closest(".pg-view")) typed.preset = target.value || first.preset;
  }, true);
  // What is chosen in a menu is in no event: it is what the menu shows.
  const chosen = () => {
    const menus = [...fields].filter(([, { type }]) => type === "dropdown");
    const shown = menus.map(([name, { props }]) => {
      if (props.multiselect) {
        const titles = [...document.querySelectorAll(`.${FIELD}${name} .token > span`)].map((each) => each.textContent.trim());
        return [name, titles.map((text) => props.choices.find(([title]) => title === text)?.[1] ?? text)];
      }
      const text = document.querySelector(`.${FIELD}${name} input`)?.value;
      return [name, props.choices.find(([title]) => title === text)?.[1] ?? (props.allow_custom_value && text ? text : now[name])];
    });
    return shown.filter(([name, value]) => plain(value) !== plain(now[name]));
  };
  const ofPreset = ({ values, own }) => [...order.map((name, index) => [name, values[index]]), ...(own ? [["size", own]] : [])];
  addEventListener("pagehide", () => {
    if (unsaved) press("pg-keep");
    const last = [...(typed.preset ? ofPreset(presets[typed.preset]) : []), ...chosen(), ...Object.entries(typed)].filter(([name, value]) => fits(name, value));
    if (ready && last.length) try { localStorage.setItem(KEY, JSON.stringify({ ...read(), ...Object.fromEntries(last) })); } catch {}
  });
  // A picture that is asked for before the page is complete is begun as soon as it is.
  const early = (event) => {
    const generate = event.type === "keydown" ? event.key === "Enter" && (event.ctrlKey || event.metaKey) : event.target.closest?.("#pg-generate");
    if (event.type === "click") touch(event);
    if (!generate) return;
    pressed = true;
    event.stopImmediatePropagation();
    event.preventDefault();
  };
  const EARLY = ["keydown", "click"];
  for (const type of EARLY) document.addEventListener(type, early, true);

  // A click on a fold's title opens it, and presses the hidden button of one that does something while it is open.
  document.addEventListener("click", (event) => {
    const title = event.target.closest("[data-unfold]"), fold = title?.closest(".pg-folded");
    if (!fold) return;
    fold.toggleAttribute("data-open");
    title.ariaExpanded = String(fold.hasAttribute("data-open"));
    if (title.dataset.unfold) press(title.dataset.unfold);
  });

  // The search shows the controls and buttons whose words match, in folds that are open meanwhile.
  const choicesOf = ({ props }) => (props?.choices ?? []).flat().join(" ");
  const search = (text) => {
    const drawer = document.getElementById("pg-advanced"), words = text.toLowerCase().match(/\S+/g) ?? [];
    const fits = (said) => words.every((word) => said.toLowerCase().includes(word));
    let matches = 0;
    drawer.toggleAttribute("data-searching", words.length > 0);
    for (const fold of drawer.querySelectorAll(".pg-folded")) fold.removeAttribute("data-found");
    for (const block of drawer.querySelectorAll(".pg-inside :is(.block:not(:has([data-unfold], [type=search])), button:not([data-unfold], .block *))")) {
      const name = fieldOf(block.classList), title = block.closest(".pg-folded").querySelector("[data-unfold]").textContent;
      const said = name ? `${name.replaceAll("_", " ")} ${choicesOf(fields.get(name))}` : "";
      const found = fits(`${block.textContent} ${said} ${title}`);
      block.toggleAttribute("data-unmatched", words.length > 0 && !found);
      if (!words.length || !found) continue;
      matches += 1;
      for (let fold = block.closest(".pg-folded"); fold && fold !== drawer; fold = fold.parentElement.closest(".pg-folded")) fold.dataset.found = "";
    }
    // Rows in which nothing is left take no room.
    for (const row of drawer.querySelectorAll(".pg-inside :is(.row, .form)"))
      row.toggleAttribute("data-unmatched", words.length > 0 && !row.querySelector(":is(.block, button):not([data-unmatched], .block *)"));
    document.getElementById("pg-advanced-none").hidden = matches > 0 || !words.length;
  };
  document.addEventListener("input", ({ target }) => { if (target.id === "pg-advanced-search") search(target.value); });

  window.pixgenForm = {
    show,
    presets,
    views,
    // Nothing is saved before the saved values are in their fields.
    save: (values) => {
      show(values);
      sayChanged(values);
      const wrong = fieldOf(document.querySelector("[data-error]")?.classList);
      const isMended = wrong ? plain(values[wrong]) !== plain(sent[wrong]) : marked && Object.keys(values).some((name) => plain(values[name]) !== plain(sent[name]));
      if (isMended) clearError();
      if (!ready) unsaved = true;
      for (const [name, value] of Object.entries(typed)) if (plain(values[name]) === plain(value)) delete typed[name];
      // A full or forbidden storage: they last as long as the page is open.
      if (ready) try { localStorage.setItem(KEY, JSON.stringify(values)); } catch {}
    },
    saveUploads: (names, values) => {
      uploaded = names.filter((_, index) => values[index] && [values[index]].flat().length);
      sayChanged();
      const wrong = uploadOf({ props: { elem_classes: document.querySelector("[data-error]")?.classList } });
      if (wrong && marked && plain(values[names.indexOf(wrong)]?.path) !== plain(sent[wrong]?.path)) clearError();
      const before = readUploads(), now = {};
      names.forEach((name, index) => {
        const value = values[index];
        if (value && (!Array.isArray(value) || value.length)) now[name] = { value, at: plain(before[name]?.value) === plain(value) ? before[name].at : Date.now() };
      });
      try { localStorage.setItem(UPLOADS, JSON.stringify(now)); } catch {}
    },
    // Files that the server no longer has leave their fields.
    checkUploads: async (names) => {
      const kept = readUploads();
      const isThere = async ({ url }) => { try { return (await fetch(url, { method: "HEAD" })).ok; } catch { return true; } };
      const found = await Promise.all(names.map(async (name) => (await Promise.all([kept[name]?.value ?? []].flat().map(isThere))).every(Boolean)));
      const now = readUploads();
      return names.map((name, index) => (found[index] || plain(now[name]?.value) !== plain(kept[name]?.value) ? UNCHANGED : null));
    },
    // What was sent to be painted.
    sent: (names, values) => { clearError(); sent = Object.fromEntries(names.map((name, index) => [name, values[index]])); },
    markError,
    markUpload,
    // What an earlier version saved, for the fields that nobody has changed meanwhile.
    adopt: (old, names) => {
      if (saved || !old || !Object.keys(old).length) return [];
      unsaved = true;
      return names.map((name) => (name in old && !touched.has(name) && fits(name, old[name]) ? old[name] : UNCHANGED));
    },
    // The page is complete, and all its scripts have run.
    start: async (names) => {
      ready = true;
      order = names;
      uploaded = Object.keys(readUploads());
      sayChanged(Object.fromEntries([...fields].map(([name, { props }]) => [name, props.value])));
      await window.pixgenPad?.restored;
      for (const type of EARLY) document.removeEventListener(type, early, true);
      const restored = (name) => saved && fields.get(name)?.props.value;  // what was taken of it
      if (restored("styles") || restored("own_styles")) press("pg-show-styles");
      if (restored("basis")) press("pg-show-basis");
      window.pixgenPad?.basis(restored("basis") || "");
      if (unsaved) press("pg-keep");
      root.dataset.ready = "";
      window.pixgenLinks?.start();
      if (pressed) press("pg-generate");
    },
  };
}
