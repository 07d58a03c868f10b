/* Parts of a page that keep themselves up to date: data-poll="SECONDS" fires "linli:poll" on the element
   while the page is visible, and once more as soon as it becomes visible again; with data-poll-hidden also
   in the background, as often as the browser lets it. data-trouble="#id" names
   the note that is shown while the server does not answer as it should. */
(() => {
  "use strict";

  const parts = () => document.querySelectorAll("[data-poll]");

  const fire = (element) => {
    element.polled = Date.now();
    window.htmx.trigger(element, "linli:poll");
  };

  const tick = () => {
    for (const element of parts()) {
      if (document.hidden && !("pollHidden" in element.dataset)) continue;
      if (!element.polled) element.polled = Date.now();
      if (Date.now() - element.polled >= Number(element.dataset.poll) * 1000) fire(element);
    }
  };

  const note = (element, hidden) => {
    const shown = element.dataset.trouble && document.querySelector(element.dataset.trouble);
    if (shown) shown.hidden = hidden;
  };

  const poller = (event) => {
    const element = event.detail.requestConfig?.elt;
    return element?.dataset.poll ? element : null;
  };

  // A page that keeps itself up to date does not keep its reader signed in.
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt?.dataset.poll) event.detail.headers["Linli-Poll"] = "1";
  });

  // An answer from another address is the sign-in page: it does not belong into this one.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const element = poller(event);
    if (!element || !event.detail.xhr.responseURL) return;
    const wanted = new URL(event.detail.pathInfo.finalRequestPath, window.location.href).pathname;
    if (new URL(event.detail.xhr.responseURL).pathname !== wanted) {
      event.detail.shouldSwap = false;
      element.strayed = true;
    }
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const element = poller(event);
    if (!element) return;
    note(element, event.detail.successful && !element.strayed);
    element.strayed = false;
  });

  // A list that grows at its head loses its tail: data-most rows stay.
  document.addEventListener("htmx:afterSettle", () => {
    for (const element of document.querySelectorAll("[data-most]")) {
      while (element.children.length > Number(element.dataset.most)) element.lastElementChild.remove();
    }
  });

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) parts().forEach(fire);
  });
  window.setInterval(tick, 500);
})();
