// Several pictures of the gallery at once: while one is selected, a bar at the bottom deletes, downloads or compares
// them. What is no longer in the list is no longer selected.
() => {
  const part = (id) => document.getElementById(id);
  const texts = JSON.parse(document.querySelector(".pg-texts").dataset.texts);
  const home = document.querySelector(".gradio-container .main");
  const bar = document.createElement("div");
  bar.id = "pg-selection";
  bar.hidden = true;
  bar.setAttribute("role", "toolbar");
  bar.innerHTML = '<span role="status"></span>' + ["compare", "sheet", "zip", "delete", "clear"].map((name) => `<button type="button" data-many="${name}"></button>`).join("");
  const button = (name) => bar.querySelector(`[data-many=${name}]`);
  for (const [name, text] of [["compare", texts.compare], ["sheet", texts.contactSheet], ["zip", texts.download], ["delete", texts.delete], ["clear", "×"]]) button(name).textContent = text;
  button("clear").title = texts.clear;
  button("clear").setAttribute("aria-label", texts.clear);
  const dialog = document.createElement("dialog");
  dialog.id = "pg-compare-box";
  dialog.setAttribute("aria-label", texts.compare);
  dialog.innerHTML = `<button type="button" data-shut title="${texts.close}" aria-label="${texts.close}">×</button><div></div>`;
  home.append(bar, dialog);

  const boxes = () => [...document.querySelectorAll("#pg-grid [data-select]")];
  const chosen = () => boxes().filter((each) => each.checked).map((each) => each.dataset.select);
  let said = "";
  const show = () => {
    const count = chosen().length, seen = count > 0 && part("pg-grid").checkVisibility();
    const now = `${count} ${seen}`;
    if (now === said) return;
    said = now;
    bar.hidden = !seen;
    document.documentElement.toggleAttribute("data-selecting", seen);
    bar.querySelector("span").textContent = texts.selected.replace("{count}", count);
    button("compare").disabled = count !== 2;
    button("compare").title = count === 2 ? "" : texts.compareTwo;
  };
  const clear = () => { for (const each of boxes()) each.checked = false; show(); };
  document.addEventListener("change", ({ target }) => { if (target.matches("[data-select]")) show(); });
  new MutationObserver(show).observe(document.querySelector(".tabs"), { subtree: true, childList: true, attributeFilter: ["style", "class"] });

  bar.addEventListener("click", ({ target }) => {
    const act = target.closest("[data-many]")?.dataset.many;
    if (act === "clear") clear();
    else if (act) {
      const pressed = part(`pg-${act}-many`);
      pressed.dataset.sent = chosen().join();
      pressed.click();
      if (act === "delete") clear();
    }
  });
  // The server's answers: a file to save, or two pictures to look at.
  new MutationObserver(() => {
    const answer = part("pg-large-run").querySelector("[data-zip], [data-compare]");
    if (!answer || answer.dataset.taken) return;
    answer.dataset.taken = "yes";
    if (answer.matches("[data-zip]")) { answer.click(); return; }
    dialog.querySelector("div").replaceChildren(...[...answer.children].map((each) => each.cloneNode(true)));
    if (!dialog.open) dialog.showModal();
  }).observe(part("pg-large-run"), { subtree: true, childList: true, attributes: true });
  dialog.addEventListener("click", ({ target }) => { if (target.closest("[data-shut]") || target === dialog) dialog.close(); });
  document.addEventListener("keydown", (event) => {
    if (!dialog.open) return;
    if (event.key === "Escape") { dialog.close(); event.preventDefault(); }
    event.stopImmediatePropagation();
  }, true);
}
