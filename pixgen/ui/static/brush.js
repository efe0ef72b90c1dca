// The brush of "Edit an area": a canvas over the picture, as fine as it is, on which white is what to paint anew.
// It belongs to the picture that it lies on, and is kept in this browser until it is taken or put away.
() => {
  const part = (id) => document.getElementById(id);
  const button = part("pg-change-part");
  if (!button) return;
  const KEPT = "pixgen-brushed";
  const shown = () => document.querySelector("#pg-canvas .pg-frame img");
  const ends = (image) => image?.src.startsWith("data:image/png");  // a stage of a running picture is a JPEG
  const busy = () => !part("pg-stop").disabled && part("pg-stop").getClientRects().length > 0;
  let brush = null, under = "";  // what it lies on

  const remove = () => {
    brush?.remove();
    brush = null;
    button.classList.remove("pg-on");
  };
  // A full or forbidden storage: it lasts as long as the page is open.
  const keep = () => { try { localStorage.setItem(KEPT, JSON.stringify({ owner: pixgenPad.hash(under), strokes: brush.toDataURL() })); } catch {} };
  const forget = () => { try { localStorage.removeItem(KEPT); } catch {} };
  const putAway = () => { remove(); forget(); };

  const lay = (image) => {
    under = image.src;
    brush = document.createElement("canvas");
    brush.className = "pg-brush";
    brush.setAttribute("aria-label", document.querySelector(".pg-brush-help").textContent);
    [brush.width, brush.height] = [image.naturalWidth, image.naturalHeight];
    Object.assign(brush.style, { left: `${image.offsetLeft}px`, top: `${image.offsetTop}px`,
      width: `${image.offsetWidth}px`, height: `${image.offsetHeight}px` });
    image.parentElement.append(brush);
    const pen = brush.getContext("2d");
    Object.assign(pen, { strokeStyle: "white", lineCap: "round", lineJoin: "round",
      lineWidth: Math.min(brush.width, brush.height) / 7 });
    const stroke = (event) => {
      if (!event.buttons) return;
      if (event.type === "pointerdown") pen.beginPath();
      pen.lineTo((event.offsetX / brush.offsetWidth) * brush.width, (event.offsetY / brush.offsetHeight) * brush.height);
      pen.stroke();
      brush.dataset.used = "yes";
      event.preventDefault();
    };
    brush.addEventListener("pointerdown", (event) => { brush.setPointerCapture(event.pointerId); stroke(event); stroke(event); });
    brush.addEventListener("pointermove", stroke);
    for (const end of ["pointerup", "pointercancel"]) brush.addEventListener(end, keep);
    button.classList.add("pg-on");
  };
  button.addEventListener("click", () => {
    const image = shown();
    if (brush) putAway();
    else if (ends(image) && !busy()) lay(image);
  });

  // Another picture is without it; with its own picture, it comes back.
  const follow = async () => {
    const image = shown();
    if (brush && (!brush.isConnected || image?.src !== under)) remove();
    if (brush || !ends(image)) return;
    try {
      const kept = JSON.parse(localStorage.getItem(KEPT) ?? "null");
      if (!kept || kept.owner !== pixgenPad.hash(image.src)) return;
      const strokes = new Image();
      strokes.src = kept.strokes;
      await Promise.all([strokes.decode(), image.decode()]);
      if (brush || shown() !== image) return;
      lay(image);
      brush.getContext("2d").drawImage(strokes, 0, 0);
      brush.dataset.used = "yes";
    } catch { forget(); }
  };
  new MutationObserver(follow).observe(part("pg-canvas"), { subtree: true, childList: true, attributes: true, attributeFilter: ["src"] });
  follow();

  // What was brushed over as a PNG, black where nothing was; it is taken once.
  window.pixgenBrush = { taken: () => {
    const used = brush?.dataset.used;
    if (used) {
      const pen = brush.getContext("2d");
      pen.globalCompositeOperation = "destination-over";
      pen.fillRect(0, 0, brush.width, brush.height);
    }
    const mask = used ? brush.toDataURL("image/png") : "";
    putAway();
    return mask;
  } };
}
