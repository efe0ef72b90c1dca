// Completion of the word that is typed into the prompt, from the words that the bundled models know and the lists of
// wildcards. Tab takes the marked one; Enter and Ctrl+Enter are never taken, and Esc closes the list and nothing else.
() => {
  const area = document.querySelector("#pg-prompt textarea");
  const texts = JSON.parse(document.querySelector(".pg-texts").dataset.texts);
  const MOST = 6, SHORTEST = 2;
  let words = null, lists = [], shown = [], marked = 0;

  const box = document.createElement("ul");
  box.id = "pg-completions";
  box.setAttribute("role", "listbox");
  box.setAttribute("aria-label", texts.completions);
  box.hidden = true;
  area.closest(".block").append(box);
  area.setAttribute("aria-autocomplete", "list");
  area.setAttribute("aria-controls", box.id);

  // The words come when somebody begins to type, once.
  const source = document.getElementById("pg-words");
  const load = () => {
    const data = source.querySelector("[data-words]")?.dataset;
    if (data) [words, lists] = [data.words ? data.words.split(" ") : [], data.lists.split(" ")];
  };
  area.addEventListener("focus", () => { if (!words) document.getElementById("pg-load-words").click(); }, { once: true });
  new MutationObserver(load).observe(source, { subtree: true, childList: true, attributes: true });

  const close = () => { box.hidden = true; area.removeAttribute("aria-activedescendant"); };
  // The unfinished word before the caret: of letters, or the name of a list.
  const typed = () => (area.selectionStart === area.selectionEnd && /(?:__[a-z0-9-]*|[a-z]+)$/i.exec(area.value.slice(0, area.selectionStart))?.[0]) || "";
  const mark = (index) => {
    marked = index;
    [...box.children].forEach((each, place) => { each.ariaSelected = String(place === index); });
    if (index < 0) area.removeAttribute("aria-activedescendant"); else area.setAttribute("aria-activedescendant", `pg-completion-${index}`);
  };
  const suggest = () => {
    const part = typed(), beginning = part.toLowerCase();
    const next = area.value[area.selectionStart] ?? " ";
    if (!words || /[\w-]/.test(next) || beginning.length < SHORTEST) { close(); return; }
    const from = beginning.startsWith("__") ? lists : words;
    shown = [];
    for (const word of from) if (word.startsWith(beginning) && word !== beginning && shown.push(word) === MOST) break;
    if (!shown.length) { close(); return; }
    box.replaceChildren(...shown.map((word, index) => {
      const item = document.createElement("li");
      item.id = `pg-completion-${index}`;
      item.setAttribute("role", "option");
      const known = document.createElement("b");
      known.textContent = word.slice(0, beginning.length);
      item.append(known, word.slice(beginning.length));
      return item;
    }));
    box.hidden = false;
    mark(from.includes(beginning) ? -1 : 0);  // a word that may be finished leaves Tab alone, until an arrow chooses
  };
  const take = (index) => {
    const part = typed(), end = area.selectionStart;
    area.focus();
    area.setSelectionRange(end - part.length, end);
    document.execCommand("insertText", false, shown[index]);  // Ctrl+Z takes it back
    close();
  };
  area.addEventListener("input", suggest);
  area.addEventListener("blur", close);
  area.addEventListener("click", close);
  box.addEventListener("pointerdown", (event) => {
    const index = [...box.children].indexOf(event.target.closest("li"));
    event.preventDefault();  // the prompt keeps the focus
    if (index >= 0) take(index);
  });
  document.addEventListener("keydown", (event) => {
    if (box.hidden || event.target !== area || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    if (key === "Tab" && !event.shiftKey && marked >= 0) take(marked);
    else if (key === "Escape") close();
    else if (key === "ArrowDown" || key === "ArrowUp") mark(key === "ArrowDown" ? (marked + 1) % shown.length : (Math.max(marked, 0) + shown.length - 1) % shown.length);
    else {
      if (key === "Enter" || key.startsWith("Arrow")) close();
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
}
