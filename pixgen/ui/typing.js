// What changes is asked about as soon as it pauses: one question at a time, and always the last one.
// asking.py says what changed and what was answered, by the id of the hidden button that asks.
() => {
  const PAUSE = 200, PATIENCE = 10000; // milliseconds
  const questions = new Map();
  const question = (id) => {
    if (!questions.has(id)) questions.set(id, { timer: 0, asked: 0, again: false });
    return questions.get(id);
  };
  const ask = (id) => {
    const own = question(id);
    own.again = Date.now() - own.asked < PATIENCE;
    if (own.again) return;
    own.asked = Date.now();
    document.getElementById(id)?.click();
  };
  document.addEventListener("pixgen-changed", ({ detail: id }) => {
    const own = question(id);
    clearTimeout(own.timer);
    own.timer = setTimeout(ask, PAUSE, id);
  });
  document.addEventListener("pixgen-answered", ({ detail: id }) => {
    const own = question(id);
    own.asked = 0;
    if (own.again) ask(id);
  });
}
