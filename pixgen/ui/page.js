// What the browser does by itself: keys, the title, and looking again after a cut line.
() => {
  const part = (id) => document.getElementById(id);
  const usable = (button) => button && !button.disabled && button.offsetParent;
  const narrow = matchMedia("(max-width: 760px)");

  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      if (usable(part("pg-generate"))) part("pg-generate").click();
      event.preventDefault();
    } else if (event.key === "Escape") {
      if (usable(part("pg-stop"))) part("pg-stop").click();
    } else if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      document.querySelector("#pg-prompt textarea")?.focus();
      event.preventDefault();
    }
  }, true);

  // A phone's screen is too small for the words and the picture: bring the picture into view.
  part("pg-generate")?.addEventListener("click", () => {
    if (narrow.matches) document.querySelector(".pg-stage")?.scrollIntoView({ behavior: "smooth" });
  });

  // Icons say what they do.
  for (const id of ["pg-seed-new", "pg-seed-reuse"]) if (part(id)) part(id).title = part(id).textContent.trim();

  const name = document.title;
  let heard = Date.now();
  new MutationObserver(() => {
    heard = Date.now();
    const bar = document.querySelector("#pg-status [data-state=painting] [role=progressbar]");
    const percent = bar && Math.floor((100 * bar.ariaValueNow) / bar.ariaValueMax);
    document.title = bar ? `${percent} % · ${name}` : name;
  }).observe(part("pg-status"), { subtree: true, childList: true, attributes: true });

  // A sleeping phone or a lost network cuts the stream; the job goes on without us. Look again.
  const lookAgain = () => {
    const alive = document.querySelector("#pg-status :is([data-state=painting], [data-state=loading], [data-state=waiting])");
    if (alive && !document.hidden && navigator.onLine && Date.now() - heard > 30000) {
      heard = Date.now();
      part("pg-look-again")?.click();
    }
  };
  setInterval(lookAgain, 5000);
}
