// What changes is asked about as soon as it pauses: one question at a time, so that no older answer
// comes after a newer one, and always the last one.
// asking.py says what changed and what was answered, by the id of the hidden button that asks. Buttons whose
// ids begin alike, up to "--", fill the same parts: they wait for each other. "--now" asks without a pause.
() => {
  const PAUSE = 200; // milliseconds
  const lanes = new Map(), timers = new Map();
  const lane = (id) => {
    const name = id.split("--")[0];
    if (!lanes.has(name)) lanes.set(name, { asked: false, next: new Set() });
    return lanes.get(name);
  };
  const ask = (id) => {
    const own = lane(id), button = document.getElementById(id);
    if (!button) return;
    if (own.asked) {
      own.next.add(id);
      return;
    }
    own.next.delete(id);
    own.asked = true;
    button.click();
  };
  document.addEventListener("pixgen-changed", ({ detail: id }) => {
    clearTimeout(timers.get(id));
    clearTimeout(timers.get(id.split("--")[0])); // what is asked now has what was typed, too
    timers.set(id, setTimeout(ask, id.endsWith("--now") ? 0 : PAUSE, id));
  });
  document.addEventListener("pixgen-answered", ({ detail: id }) => {
    const own = lane(id), [next] = own.next;
    own.asked = false;
    if (next) ask(next);
  });
}
