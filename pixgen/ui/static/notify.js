// A picture that is done in a hidden tab: the title says so, and a notification for those who have asked for it. The
// browser is asked for its permission only when somebody presses the button, never by itself.
() => {
  const KEPT = "pixgen-notify";
  const button = document.getElementById("pg-notify");
  const texts = JSON.parse(document.querySelector(".pg-texts").dataset.texts);
  const status = document.getElementById("pg-status");
  const read = () => { try { return localStorage.getItem(KEPT) === "yes"; } catch { return false; } };
  let on = read();
  const possible = () => "Notification" in window && Notification.permission !== "denied";
  const works = () => on && possible() && Notification.permission === "granted";
  const show = () => {
    button.hidden = !possible();
    button.ariaPressed = String(works());
    button.textContent = works() ? texts.notifying : texts.notify;
  };
  button.addEventListener("click", async () => {
    on = !works();
    if (on && Notification.permission === "default") await Notification.requestPermission();
    on = on && Notification.permission === "granted";
    try { localStorage.setItem(KEPT, on ? "yes" : "no"); } catch {}
    show();
  });
  show();

  const BUSY = ["starting", "waiting", "loading", "painting", "paused"];
  const state = () => status.querySelector("[data-state]")?.dataset.state;
  let before = state(), done = 0;
  new MutationObserver(() => {
    const now = state();
    if (now === before) return;
    const ended = BUSY.includes(before) && ["done", "stopped", "failed"].includes(now);
    before = now;
    if (!ended || !document.hidden) return;
    done += 1;
    window.pixgenTitle.prefix = `✓ ${done > 1 ? `${done} ` : ""}`;
    window.pixgenTitle.show();
    if (!works()) return;
    const image = document.querySelector("#pg-canvas .pg-frame img");
    const said = new Notification(now === "failed" ? texts.notPainted : texts.painted, { body: image?.alt ?? "", tag: "pixgen", icon: now === "failed" ? undefined : image?.src });
    said.addEventListener("click", () => { focus(); said.close(); });
  }).observe(status, { subtree: true, childList: true, attributeFilter: ["data-state"] });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    done = 0;
    window.pixgenTitle.prefix = "";
    window.pixgenTitle.show();
  });
}
