// Who types sees an answer as soon as the typing pauses: one question at a time, and always the last one.
// (A gradio event that is triggered "always_last" forgets the last letters where an answer takes a while.)
() => {
  const asks = { "pg-gallery-query": "pg-ask-gallery" }; // what is typed into, and the button that asks
  const PAUSE = 200, PATIENCE = 10000; // milliseconds
  for (const [field, button] of Object.entries(asks)) {
    let timer, asked = 0, again = false;
    const ask = () => {
      again = Date.now() - asked < PATIENCE;
      if (again) return;
      asked = Date.now();
      document.getElementById(button)?.click();
    };
    document.addEventListener("input", (event) => {
      if (!event.target.closest?.(`#${field}`)) return;
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE);
    });
    document.addEventListener(`${button}-answered`, () => {
      asked = 0;
      if (again) ask();
    });
  }
}
