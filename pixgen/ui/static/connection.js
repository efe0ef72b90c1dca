// A connection that is open and delivers nothing, as after a laptop has slept or behind a proxy that stalls, is lost:
// gradio waits for it for ever. This runs in the page's head, before gradio opens its stream of events, on which the
// server says something every few seconds; a stream that is silent for longer fails, and gradio does what it does for
// one that is closed: it reloads the page as soon as the server answers again.
(silence) => {
  const real = window.fetch;
  // Seconds are counted while the page runs: neither a sleeping laptop nor a hidden tab's slow clock is silence.
  const watched = (body) => {
    const reader = body.getReader();
    return new ReadableStream({
      async pull(controller) {
        let clock = 0, seconds = 0;
        const silent = new Promise((_, fail) => {
          clock = setInterval(() => { if (++seconds >= silence) fail(new TypeError(`network error: nothing came for ${silence} seconds`)); }, 1000);
        });
        try {
          const { done, value } = await Promise.race([reader.read(), silent]);
          if (done) controller.close(); else controller.enqueue(value);
        } catch (error) {
          reader.cancel().catch(() => {});
          controller.error(error);
        } finally { clearInterval(clock); }
      },
      cancel: (reason) => reader.cancel(reason),
    });
  };
  window.fetch = async (what, options) => {
    const { pathname } = new URL(what.url ?? what, location.href);
    // Gradio asks for this until the server answers; questions that hang would take all connections of the browser.
    if (pathname.endsWith("/app_id")) return real(what, { ...options, signal: AbortSignal.timeout(4000) });
    const answer = await real(what, options);
    if (!pathname.endsWith("/queue/data") || !answer.ok || !answer.body) return answer;
    return new Response(watched(answer.body), { status: answer.status, statusText: answer.statusText, headers: answer.headers });
  };
}
