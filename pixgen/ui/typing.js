// What changes is asked about as soon as it pauses: one question at a time, so that no older answer
// comes after a newer one, and always the last one.
// asking.py says what changed and what was answered, by the id of the hidden button that asks.
() => {
  const PAUSE = 200; // milliseconds
  const questions = new Map();
  const question = (id) => {
    if (!questions.has(id)) questions.set(id, { timer: 0, asked: false, again: false });
    return questions.get(id);
  };
  const ask = (id) => {
    const own = question(id), button = document.getElementById(id);
    own.again = own.asked;
    if (own.asked || !button) return;
    own.asked = true;
    button.click();
  };
  document.addEventListener("pixgen-changed", ({ detail: id }) => {
    const own = question(id);
    clearTimeout(own.timer);
    own.timer = setTimeout(ask, PAUSE, id);
  });
  document.addEventListener("pixgen-answered", ({ detail: id }) => {
    const own = question(id);
    own.asked = false;
    if (own.again) ask(id);
  });
}
