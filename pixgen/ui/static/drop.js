// A picture that is pasted, or dropped anywhere on the page: a small menu asks what to do with it. The areas for
// uploads take what is dropped on them themselves.
() => {
  const part = (id) => document.getElementById(id);
  const texts = JSON.parse(document.querySelector(".pg-texts").dataset.texts);
  const dialog = document.createElement("dialog");
  dialog.id = "pg-drop";
  dialog.setAttribute("aria-label", texts.dropped);
  const acts = { start: texts.dropStart, prompt: texts.dropPrompt, classify: texts.dropClassify, info: texts.dropInfo };
  dialog.innerHTML = `<img alt=""><p></p>${Object.keys(acts).map((name) => `<button type="button" data-act="${name}"></button>`).join("")}<button type="button" data-shut></button>`;
  for (const [name, text] of Object.entries(acts)) dialog.querySelector(`[data-act=${name}]`).textContent = text;
  dialog.querySelector("[data-shut]").textContent = texts.cancel;
  document.querySelector(".gradio-container .main").append(dialog);
  const image = dialog.querySelector("img");
  let file = null;

  const isPicture = ({ type, name }) => type.startsWith("image/") || /\.(heic|heif|avif)$/i.test(name);
  const isTold = (each) => isPicture(each) || /\.(mp4|webm|json)$/i.test(each.name);  // may carry a recipe
  const close = () => { dialog.close(); URL.revokeObjectURL(image.src); };
  const ask = (given) => {
    file = given;
    image.hidden = !isPicture(file);
    image.src = isPicture(file) ? URL.createObjectURL(file) : "";
    dialog.querySelector("p").textContent = file.name;
    for (const name of ["start", "prompt", "classify"]) dialog.querySelector(`[data-act=${name}]`).hidden = !isPicture(file);
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("button:not([hidden])").focus();
  };
  dialog.addEventListener("click", ({ target }) => {
    const act = target.closest("[data-act]")?.dataset.act;
    if (act) {
      const input = part("pg-dropped").querySelector("input[type=file]"), carried = new DataTransfer();
      carried.items.add(file);
      part("pg-dropped").dataset.act = act;
      input.files = carried.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }
    if (act || target.closest("[data-shut]") || target === dialog) close();
  });

  const own = (target) => target.closest?.(".upload-container, [data-testid=file-upload], input[type=file], .pg-scenes");
  const given = (data) => [...(data?.files ?? [])].find(isTold);
  let over = 0;
  const cover = (on) => document.documentElement.toggleAttribute("data-dropping", on);
  const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  addEventListener("dragenter", (event) => { if (carries(event)) { over += 1; cover(true); } });
  addEventListener("dragleave", (event) => { if (carries(event) && --over <= 0) { over = 0; cover(false); } });
  addEventListener("dragover", (event) => { if (carries(event) && !own(event.target)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    over = 0;
    cover(false);
    if (!carries(event) || own(event.target)) return;
    event.preventDefault();  // else the browser leaves the page and shows the file
    const dropped = given(event.dataTransfer);
    if (dropped) ask(dropped);
  });
  document.addEventListener("paste", (event) => {
    const pasted = given(event.clipboardData);
    if (!pasted) return;
    event.preventDefault();
    ask(pasted);
  });
  // The keys of the page are not meant while it asks.
  document.addEventListener("keydown", (event) => {
    if (!dialog.open) return;
    if (event.key === "Escape") { close(); event.preventDefault(); }
    event.stopImmediatePropagation();
  }, true);

  // Classify is built when its tab is opened for the first time.
  window.pixgenDrop = { act: () => part("pg-dropped").dataset.act, done: () => {
    if (part("pg-dropped").dataset.act !== "classify") return;
    const until = Date.now() + 10000;
    const press = () => {
      const button = part("pg-classify");
      if (button?.getClientRects().length && !button.disabled) button.click();
      else if (Date.now() < until) setTimeout(press, 50);
    };
    press();
  } };
}
