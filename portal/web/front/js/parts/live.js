// A stream of server-sent events (portal/core/live.py) that comes back by itself. The browser goes on after a
// broken connection and names the last event it has heard; where it gives up (no place left, a proxy that
// answers in its stead), this tries again with growing pauses. Meanwhile the page asks by the clock.
const SIGN_AFTER_MS = 4000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30000;
const DISPLACED_PAUSE_MS = 60000;
const POLL_MS = 15000;

// listen(address, { last, changed, sign, poll }): `last` is what the page shows already, changed(data) hears
// each event, sign(live) is told when the stream is lost for a while and when it is back, poll() asks.
export const listen = (address, { last, changed, sign, poll }) => {
  let source = null;
  let heard = last;
  let pause = FIRST_PAUSE_MS;
  let comeback = 0;
  let signing = 0;
  let polling = 0;

  const shut = () => {
    window.clearTimeout(comeback);
    source?.close();
    source = null;
  };
  const live = () => {
    window.clearTimeout(signing);
    window.clearInterval(polling);
    signing = polling = 0;
    pause = FIRST_PAUSE_MS;
    sign(true);
  };
  const lost = () => {
    signing ||= window.setTimeout(() => sign(false), SIGN_AFTER_MS);
    polling ||= window.setInterval(() => {
      if (!document.hidden) poll();
    }, POLL_MS);
  };
  const later = (ms) => {
    shut();
    comeback = window.setTimeout(open, ms);
  };
  const open = () => {
    shut();
    const url = new URL(address, window.location.href);
    if (heard) url.searchParams.set("last", heard);
    source = new EventSource(url);
    source.addEventListener("open", live);
    source.addEventListener("changed", (event) => {
      heard = event.lastEventId;
      changed(JSON.parse(event.data));
    });
    source.addEventListener("displaced", () => {
      lost();
      later(DISPLACED_PAUSE_MS);
    });
    source.addEventListener("error", () => {
      lost();
      if (source.readyState !== EventSource.CLOSED) return;
      later(pause * (0.5 + Math.random()));
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    });
  };

  window.addEventListener("pagehide", shut);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) open();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && polling) poll();
  });
  open();
};
